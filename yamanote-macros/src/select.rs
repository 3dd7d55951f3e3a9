//! What `select!` expands to.
//!
//! Input: `(path of the runtime crate) branches`. A branch is `pattern = future, if condition => handler`.
//! The expansion evaluates the conditions, makes the futures, polls those that are enabled from a start chosen
//! at random (or in order, if `biased`), disables a branch whose output its pattern does not match, and runs
//! the handler of the first that does, after all futures are dropped.

use proc_macro::{Delimiter, Group, Span, TokenStream, TokenTree};

use crate::expression::{expression_len, is_assignment, position};
use crate::tokens::{
    Cursor, Error, Result, comma_separated, concat, hidden, is_char, is_op, is_word, number, template,
};

/// Upstream's limit; it is that of the mask of disabled branches.
const MAX_BRANCHES: usize = 64;

struct Branch {
    pattern: TokenStream,
    future: TokenStream,
    condition: Option<TokenStream>,
    handler: TokenStream,
}

struct Select {
    krate: TokenStream,
    biased: bool,
    branches: Vec<Branch>,
    otherwise: Option<TokenStream>,
}

/// A handler: a block, after which a comma may be missing, or any expression.
fn parse_handler(input: &mut Cursor) -> Result<TokenStream> {
    let is_block = matches!(input.peek(),
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace);
    let len = if is_block { 1 } else { expression_len(input.rest()) };
    if len == 0 {
        return Err(Error::at(input.peek(), "expected an expression"));
    }
    let handler = input.take(len);
    input.take_op(",");
    Ok(handler)
}

/// Takes tokens up to where something stands, of which there must be some.
fn parse_up_to(
    input: &mut Cursor,
    what: &str,
    end: &str,
    is_end: impl Fn(&[TokenTree]) -> bool,
) -> Result<TokenStream> {
    let len = position(input.rest(), is_end);
    if len == input.rest().len() {
        return Err(Error::new(Span::call_site(), format!("expected `{end}`")));
    }
    if len == 0 {
        return Err(Error::at(input.peek(), format!("expected {what}")));
    }
    Ok(input.take(len))
}

fn is_arrow(rest: &[TokenTree]) -> bool {
    is_op(rest, "=>")
}

/// A comma followed by `if`: no expression has one, outside of brackets.
fn is_condition(rest: &[TokenTree]) -> bool {
    is_char(rest.first(), ',') && is_word(rest.get(1), "if")
}

impl Select {
    fn parse(input: TokenStream) -> Result<Select> {
        let mut input = Cursor::new(input);
        let krate = input.take_group(Delimiter::Parenthesis);
        let krate = krate.expect("given by `select!`").stream();
        let biased =
            is_char(input.rest().get(1), ';') && input.take_word("biased") && input.take_op(";");
        let (mut branches, mut otherwise) = (Vec::new(), None);
        let mut one_too_many = None;
        while !input.is_empty() {
            if input.take_word("else") {
                input.expect_op("=>")?;
                otherwise = Some(parse_handler(&mut input)?);
                if !input.is_empty() {
                    return Err(Error::at(input.peek(), "the `else` branch has to be the last one"));
                }
                break;
            }
            if branches.len() == MAX_BRANCHES {
                one_too_many = input.peek().map(TokenTree::span);
            }
            let pattern = parse_up_to(&mut input, "a pattern", "=", is_assignment)?;
            input.expect_op("=")?;
            let is_end = |rest: &[TokenTree]| is_arrow(rest) || is_condition(rest);
            let future = parse_up_to(&mut input, "an expression", "=>", is_end)?;
            let condition = if input.take_op(",") {
                input.take_word("if");
                Some(parse_up_to(&mut input, "an expression", "=>", is_arrow)?)
            } else {
                None
            };
            input.expect_op("=>")?;
            let handler = parse_handler(&mut input)?;
            branches.push(Branch { pattern, future, condition, handler });
        }
        if branches.is_empty() && otherwise.is_none() {
            return Err(Error::new(Span::call_site(), "select! requires at least one branch."));
        }
        if let Some(span) = one_too_many {
            return Err(Error::new(span, format!("select! takes up to {MAX_BRANCHES} branches")));
        }
        Ok(Select { krate, biased, branches, otherwise })
    }
}

pub(crate) fn expand(input: TokenStream) -> TokenStream {
    match Select::parse(input) {
        Ok(select) => generate(select),
        Err(error) => error.into_compile_error(),
    }
}

/// The smallest integer with a bit for each branch: it is part of the future's size.
fn mask_type(branches: usize) -> &'static str {
    match branches {
        0..=8 => "u8",
        9..=16 => "u16",
        17..=32 => "u32",
        _ => "u64",
    }
}

fn generate(select: Select) -> TokenStream {
    let Select { krate, biased, branches, otherwise } = select;
    let here = Span::call_site();
    let fill = |text: &str, holes: &[(&str, &TokenStream)]| template(text, here, holes);
    if branches.is_empty() {
        let otherwise = otherwise.unwrap_or_default();
        return fill("{ $otherwise }", &[("otherwise", &otherwise)]);
    }
    // Names of ours that no name of the user's can meet.
    let (disabled, futures) = (hidden("disabled"), hidden("futures"));
    let (output, module) = (hidden("output"), hidden("__yamanote_select"));
    let names: Vec<TokenStream> = (0..branches.len()).map(|i| hidden(&format!("_{i}"))).collect();
    let mask = fill(mask_type(branches.len()), &[]);
    let bit = |i: usize| fill("(1 as $mask) << $i", &[("mask", &mask), ("i", &number(i))]);

    let variants: Vec<TokenStream> =
        names.iter().map(|name| fill("$name($name)", &[("name", name)])).collect();
    let conditions = concat(branches.iter().enumerate().filter_map(|(i, branch)| {
        let condition = branch.condition.as_ref()?;
        let span = condition.clone().into_iter().next()?.span();
        let holes = [("condition", condition), ("disabled", &disabled), ("bit", &bit(i))];
        let text = "let enabled: bool = $condition;
            if !enabled {
                $disabled |= $bit;
            }";
        Some(template(text, span, &holes))
    }));
    let made = comma_separated(branches.iter().map(|branch| &branch.future));
    let turned: Vec<TokenStream> = (0..branches.len())
        .map(|i| {
            let text = "$krate::macros::support::IntoFuture::into_future(futures.$i)";
            fill(text, &[("krate", &krate), ("i", &number(i))])
        })
        .collect();
    let polls = concat(branches.iter().zip(&names).enumerate().map(|(i, (branch, name))| {
        let pattern = by_reference(branch.pattern.clone());
        let holes = [
            ("disabled", &disabled),
            ("module", &module),
            ("name", name),
            ("pattern", &pattern),
            ("bit", &bit(i)),
            ("i", &number(i)),
        ];
        fill(POLL, &holes)
    }));
    let arms = concat(branches.iter().zip(&names).map(|(branch, name)| {
        let holes = [
            ("module", &module),
            ("name", name),
            ("pattern", &branch.pattern),
            ("handler", &branch.handler),
        ];
        fill("$module::Out::$name($pattern) => $handler,", &holes)
    }));
    let start = if biased { "0u32" } else { "$krate::macros::support::thread_rng_n($count)" };
    let otherwise = otherwise.unwrap_or_else(|| {
        fill("::core::panic!(\"all branches are disabled and there is no else branch\")", &[])
    });
    let count = number(branches.len());
    let start = fill(start, &[("krate", &krate), ("count", &count)]);
    let holes = [
        ("krate", &krate),
        ("module", &module),
        ("disabled", &disabled),
        ("futures", &futures),
        ("output", &output),
        ("mask", &mask),
        ("names", &comma_separated(&names)),
        ("variants", &comma_separated(&variants)),
        ("conditions", &conditions),
        ("made", &made),
        ("turned", &comma_separated(&turned)),
        ("start", &start),
        ("count", &count),
        ("polls", &polls),
        ("arms", &arms),
        ("otherwise", &otherwise),
    ];
    fill(WHOLE, &holes)
}

/// The poll of one branch.
const POLL: &str = "
    #[allow(unreachable_code)]
    $i => {
        if $disabled & $bit != 0 {
            continue;
        }
        let future = &mut futures.$i;
        // SAFETY: the tuple is not moved once it was made, nor taken apart but by being
        // dropped in place: nothing but this closure reaches it.
        let future = unsafe { ::core::pin::Pin::new_unchecked(future) };
        let output = match ::core::future::Future::poll(future, cx) {
            ::core::task::Poll::Ready(output) => output,
            ::core::task::Poll::Pending => {
                is_pending = true;
                continue;
            }
        };
        // It is not polled again, whether or not its output is wanted.
        $disabled |= $bit;
        #[allow(unused_variables, unused_mut, clippy::all)]
        #[allow(unreachable_patterns)]
        match &output {
            $pattern => {}
            _ => continue,
        }
        return ::core::task::Poll::Ready($module::Out::$name(output));
    }";

const WHOLE: &str = "{
    #[doc(hidden)]
    mod $module {
        pub(super) enum Out<$names> {
            $variants
            Disabled,
        }
        pub(super) type Mask = $mask;
    }

    #[allow(unused_mut)]
    let mut $disabled: $module::Mask = ::core::default::Default::default();
    $conditions

    let $output = {
        // Made here, so that the handlers may use what the futures borrow.
        // First as they stand, so that temporaries they refer to live as long as they do. Then moved as a
        // whole, so that they do not take up their place twice.
        let $futures = ($made);
        #[allow(unused_mut)]
        let mut $futures = $krate::macros::support::apply($futures, |futures| {
            ($turned)
        });
        let mut $futures = &mut $futures;

        $krate::macros::support::poll_fn(|cx| {
            match $krate::macros::support::poll_budget_available(cx) {
                ::core::task::Poll::Ready(()) => {}
                ::core::task::Poll::Pending => return ::core::task::Poll::Pending,
            }
            // As a whole: the closure would otherwise capture a reference to each future.
            let futures = &mut *$futures;
            let mut is_pending = false;
            let start = $start;
            for i in 0..$count {
                #[allow(clippy::modulo_one)]
                let branch = (start + i) % $count;
                match branch {
                    $polls
                    _ => ::core::unreachable!(\"there is no such branch\"),
                }
            }
            if is_pending {
                ::core::task::Poll::Pending
            } else {
                ::core::task::Poll::Ready($module::Out::Disabled)
            }
        })
        .await
    };

    // A temporary, so that patterns may take `ref mut`.
    match ::core::convert::identity($output) {
        $arms
        $module::Out::Disabled => { $otherwise }
        #[allow(unreachable_patterns)]
        _ => ::core::unreachable!(\"the pattern matched before\"),
    }
}";

/// Makes a pattern fit a reference to what it is meant for: bindings take no `ref` and no `mut` there.
///
/// What is left as it is: `&mut`, which is a pattern of its own; macros and constants, whose tokens are no pattern's.
fn by_reference(pattern: TokenStream) -> TokenStream {
    let mut fitting = TokenStream::new();
    let mut before: Option<TokenTree> = None;
    for token in pattern {
        let kept = match &token {
            TokenTree::Ident(word) => match word.to_string().as_str() {
                "ref" => None,
                "mut" if !is_char(before.as_ref(), '&') => None,
                _ => Some(token.clone()),
            },
            TokenTree::Group(_)
                if is_char(before.as_ref(), '!') || is_word(before.as_ref(), "const") =>
            {
                Some(token.clone())
            }
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), by_reference(group.stream()));
                inner.set_span(group.span());
                Some(inner.into())
            }
            _ => Some(token.clone()),
        };
        fitting.extend(kept);
        before = Some(token);
    }
    fitting
}
