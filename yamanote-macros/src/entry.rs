//! `#[main]` and `#[test]`.

use proc_macro::{Delimiter, Ident, Span, TokenStream, TokenTree};

use crate::tokens::{
    Cursor, Error, Result, is_char, is_op, is_word, number, template, unwrap_invisible,
};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Main,
    Test,
}

/// What differs between the crates and features that re-export the macros.
pub(crate) struct Variant {
    pub(crate) krate: &'static str,
    /// Whether there is a multi-threaded runtime.
    pub(crate) multi_thread: bool,
}

pub(crate) fn missing_feature(message: &str) -> TokenStream {
    Error::new(Span::call_site(), message).into_compile_error()
}

/// An `async fn`. But for what is looked at here, it is the compiler's to judge.
struct Function {
    /// Each with its `#`.
    attributes: Vec<TokenStream>,
    /// What stands before `fn`, without `async`.
    qualifiers: TokenStream,
    is_async: bool,
    fn_span: Span,
    name: TokenTree,
    has_parameters: bool,
    /// From `fn` up to the body.
    signature: TokenStream,
    /// The type, if there is one.
    output: Option<TokenStream>,
    body: TokenStream,
    body_span: Span,
}

impl Function {
    fn parse(item: TokenStream) -> Result<Function> {
        let mut input = Cursor::new(item);
        // As a whole what a macro's variable stands for.
        while let (1, Some(group)) = (input.rest().len(), input.take_group(Delimiter::None)) {
            input = Cursor::new(group.stream());
        }
        let mut attributes = Vec::new();
        while is_char(input.peek(), '#') {
            attributes.push(input.take(2));
        }
        let (mut qualifiers, mut is_async) = (TokenStream::new(), false);
        while !is_word(input.peek(), "fn") {
            if input.is_empty() {
                return Err(Error::at(None, "expected `fn`"));
            }
            if input.take_word("async") {
                is_async = true;
            } else {
                qualifiers.extend(input.take(1));
            }
        }
        let rest = input.rest();
        let fn_span = rest[0].span();
        let Some(name @ TokenTree::Ident(_)) = rest.get(1).cloned() else {
            return Err(Error::at(rest.get(1), "expected identifier"));
        };
        // The body comes last, within invisible brackets if it is what a macro's variable stands for.
        let body = match rest.last().cloned().map(unwrap_invisible) {
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => group,
            _ => return Err(Error::at(rest.last(), "expected a function with a body")),
        };
        let signature = input.take(input.rest().len() - 1);
        let (has_parameters, output) = parameters_and_output(signature.clone());
        Ok(Function {
            attributes,
            qualifiers,
            is_async,
            fn_span,
            name,
            has_parameters,
            signature,
            output,
            body: body.stream(),
            body_span: body.span(),
        })
    }
}

/// Whether there are parameters, and what is returned, of `fn name<…>(…) -> … where …`.
fn parameters_and_output(signature: TokenStream) -> (bool, Option<TokenStream>) {
    let mut input = Cursor::new(signature);
    let mut depth = 0;
    loop {
        // Within generics: of a bound such as `Fn(u32) -> u32`.
        if input.take_op("->") {
            continue;
        }
        match input.peek() {
            Some(TokenTree::Group(group))
                if depth == 0 && group.delimiter() == Delimiter::Parenthesis =>
            {
                break;
            }
            Some(TokenTree::Punct(punct)) if punct.as_char() == '<' => depth += 1,
            Some(TokenTree::Punct(punct)) if punct.as_char() == '>' => depth -= 1,
            Some(_) => {}
            None => return (false, None),
        }
        input.take(1);
    }
    let parameters = input.take_group(Delimiter::Parenthesis);
    let has_parameters = parameters.is_some_and(|parameters| !parameters.stream().is_empty());
    if !input.take_op("->") {
        return (has_parameters, None);
    }
    let mut output = TokenStream::new();
    while !input.is_empty() && !is_word(input.peek(), "where") {
        output.extend(input.take(1));
    }
    (has_parameters, Some(output))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Flavor {
    CurrentThread,
    MultiThread,
    Local,
}

/// The arguments, each with where it stands.
#[derive(Default)]
struct Config {
    flavor: Option<(Flavor, Span)>,
    worker_threads: Option<(usize, Span)>,
    start_paused: Option<(bool, Span)>,
    unhandled_panic: Option<(String, Span)>,
    name: Option<(TokenTree, Span)>,
    krate: Option<TokenStream>,
}

fn set<T>(slot: &mut Option<T>, value: T, what: &str, span: Span) -> Result<()> {
    if slot.replace(value).is_some() {
        return Err(Error::new(span, format!("`{what}` set multiple times.")));
    }
    Ok(())
}

/// What stands between the quotes of a string literal. Escapes are left alone: nothing that is asked for here has one.
fn string(value: &TokenTree, what: &str) -> Result<String> {
    let text = value.to_string();
    let text = text.strip_prefix('r').map_or(&*text, |raw| raw.trim_matches('#'));
    match text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        Some(text) => Ok(text.to_owned()),
        None => Err(Error::at(Some(value), format!("Failed to parse value of `{what}` as string."))),
    }
}

/// A number as it may stand in the source: `12`, `1_000`, `0x10`, `4usize`.
fn integer(value: &TokenTree) -> std::result::Result<usize, Option<std::num::ParseIntError>> {
    let text = value.to_string().replace('_', "");
    if !matches!(value, TokenTree::Literal(_)) || !text.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(None);
    }
    let (radix, digits) = match text.get(..2) {
        Some("0x") => (16, &text[2..]),
        Some("0o") => (8, &text[2..]),
        Some("0b") => (2, &text[2..]),
        _ => (10, &*text),
    };
    let end = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
    let (digits, suffix) = digits.split_at(end);
    if !suffix.is_empty() && !suffix.starts_with(['u', 'i']) {
        return Err(None);
    }
    usize::from_str_radix(digits, radix).map_err(Some)
}

/// `a::b`, of which all tokens stand where the literal does.
fn path(text: &str, span: Span) -> Option<TokenStream> {
    let is_name = |name: &str| {
        let mut chars = name.trim().chars();
        chars.next().is_some_and(|c| c.is_alphabetic() || c == '_')
            && chars.all(|c| c.is_alphanumeric() || c == '_')
    };
    let relative = text.trim().strip_prefix("::").unwrap_or(text);
    relative.split("::").all(is_name).then(|| template(text, span, &[]))
}

impl Config {
    fn parse(args: TokenStream, kind: Kind, variant: &Variant) -> Result<Config> {
        let mut args = Cursor::new(args);
        let mut config = Config::default();
        let macro_name = match kind {
            Kind::Main => "tokio::main",
            Kind::Test => "tokio::test",
        };
        while !args.is_empty() {
            config.parse_one(&mut args, macro_name)?;
            if !args.is_empty() {
                args.expect_op(",")?;
            }
        }
        config.check(kind, variant)?;
        Ok(config)
    }

    fn parse_one(&mut self, args: &mut Cursor, macro_name: &str) -> Result<()> {
        let first = args.peek().cloned();
        let span = first.as_ref().map_or_else(Span::call_site, TokenTree::span);
        let Some(TokenTree::Ident(name)) = first else {
            return Err(Error::new(span, "expected identifier"));
        };
        let name = name.to_string().to_lowercase();
        args.take(1);
        if is_op(args.rest(), "::") {
            return Err(Error::new(span, "Must have specified ident"));
        }
        if let Some(TokenTree::Group(_)) = args.peek() {
            return Err(Error::new(span, "Unknown attribute inside the macro"));
        }
        if !args.take_op("=") {
            return Err(bare_word(&name, span, macro_name));
        }
        let Some(value) = args.peek().cloned().map(unwrap_invisible) else {
            return Err(Error::new(span, "expected a literal behind the `=`"));
        };
        let is_literal = matches!(value, TokenTree::Literal(_))
            || is_word(Some(&value), "true")
            || is_word(Some(&value), "false");
        args.take(1);
        if !is_literal || !(args.is_empty() || is_char(args.peek(), ',')) {
            return Err(Error::at(Some(&value), "Must be a literal"));
        }
        self.set(&name, span, value)
    }

    fn set(&mut self, name: &str, span: Span, value: TokenTree) -> Result<()> {
        let at = value.span();
        match name {
            "worker_threads" => {
                let n = integer(&value).map_err(|error| {
                    let message = "Failed to parse value of `worker_threads` as integer";
                    let message = match error {
                        Some(error) => format!("{message}: {error}"),
                        None => format!("{message}."),
                    };
                    Error::new(at, message)
                })?;
                if n == 0 {
                    return Err(Error::new(at, "`worker_threads` may not be 0."));
                }
                set(&mut self.worker_threads, (n, at), "worker_threads", span)
            }
            "flavor" => {
                let flavor = match string(&value, "flavor")?.as_str() {
                    "current_thread" => Flavor::CurrentThread,
                    "multi_thread" => Flavor::MultiThread,
                    "local" => Flavor::Local,
                    other => return Err(no_such_flavor(other, at)),
                };
                set(&mut self.flavor, (flavor, at), "flavor", span)
            }
            "start_paused" => {
                if !matches!(value, TokenTree::Ident(_)) {
                    return Err(Error::new(at, "Failed to parse value of `start_paused` as bool."));
                }
                let paused = is_word(Some(&value), "true");
                set(&mut self.start_paused, (paused, at), "start_paused", span)
            }
            "unhandled_panic" => {
                let value = string(&value, "unhandled_panic")?;
                if !matches!(value.as_str(), "ignore" | "shutdown_runtime") {
                    let message = format!(
                        "No such unhandled panic behavior `{value}`. The unhandled panic behaviors \
                         are `ignore` and `shutdown_runtime`."
                    );
                    return Err(Error::new(at, message));
                }
                set(&mut self.unhandled_panic, (value, at), "unhandled_panic", span)
            }
            "name" => {
                string(&value, "name")?;
                set(&mut self.name, (value, at), "name", span)
            }
            "crate" => {
                let Ok(text) = string(&value, "crate") else {
                    return Err(Error::new(at, "Failed to parse value of `crate` as path."));
                };
                let Some(path) = path(&text, at) else {
                    let message = format!("Failed to parse value of `crate` as path: \"{text}\"");
                    return Err(Error::new(at, message));
                };
                set(&mut self.krate, path, "crate", span)
            }
            other => Err(unknown(other, span)),
        }
    }

    fn flavor(&self, kind: Kind, variant: &Variant) -> Flavor {
        match (self.flavor, kind) {
            (Some((flavor, _)), _) => flavor,
            (None, Kind::Main) if variant.multi_thread => Flavor::MultiThread,
            _ => Flavor::CurrentThread,
        }
    }

    /// Refuses what does not go together.
    fn check(&self, kind: Kind, variant: &Variant) -> Result<()> {
        let flavor = self.flavor(kind, variant);
        if let (Flavor::MultiThread, Some((_, span))) = (flavor, self.flavor) {
            if !variant.multi_thread {
                return Err(Error::new(
                    span,
                    "The runtime flavor `multi_thread` requires the `rt-multi-thread` feature.",
                ));
            }
        }
        if let Some((_, span)) = self.worker_threads {
            if flavor != Flavor::MultiThread {
                return Err(Error::new(
                    span,
                    "The `worker_threads` option requires the `multi_thread` runtime flavor. \
                     Use `#[tokio::main(flavor = \"multi_thread\")]`",
                ));
            }
        }
        if let Some((_, span)) = self.start_paused {
            if flavor == Flavor::MultiThread {
                return Err(Error::new(
                    span,
                    "The `start_paused` option requires the `current_thread` runtime flavor. \
                     Use `#[tokio::test(flavor = \"current_thread\")]`",
                ));
            }
        }
        if let Some((value, span)) = &self.unhandled_panic {
            if flavor == Flavor::MultiThread && value == "shutdown_runtime" {
                return Err(Error::new(
                    *span,
                    "The `unhandled_panic` option requires the `current_thread` runtime flavor. \
                     Use `#[tokio::test(flavor = \"current_thread\")]`",
                ));
            }
        }
        Ok(())
    }
}

fn no_such_flavor(name: &str, span: Span) -> Error {
    let hint = match name {
        "single_thread" | "basic_scheduler" => "current_thread",
        "threaded_scheduler" => "multi_thread",
        _ => {
            let message = format!(
                "No such runtime flavor `{name}`. The runtime flavors are `current_thread`, `local`, \
                 and `multi_thread`."
            );
            return Error::new(span, message);
        }
    };
    Error::new(span, format!("The `{name}` runtime flavor is called `{hint}`."))
}

fn unknown(name: &str, span: Span) -> Error {
    let message = format!(
        "Unknown attribute {name} is specified; expected one of: `flavor`, `worker_threads`, \
         `start_paused`, `crate`, `unhandled_panic`, `name`."
    );
    Error::new(span, message)
}

/// An argument without a value: old spellings get a hint.
fn bare_word(name: &str, span: Span, macro_name: &str) -> Error {
    let message = match name {
        "threaded_scheduler" | "multi_thread" => {
            format!("Set the runtime flavor with #[{macro_name}(flavor = \"multi_thread\")].")
        }
        "basic_scheduler" | "current_thread" | "single_threaded" => {
            format!("Set the runtime flavor with #[{macro_name}(flavor = \"current_thread\")].")
        }
        "flavor" | "worker_threads" | "start_paused" | "crate" | "unhandled_panic" | "name" => {
            format!("The `{name}` attribute requires an argument.")
        }
        _ => return unknown(name, span),
    };
    Error::new(span, message)
}

pub(crate) fn expand(
    args: TokenStream,
    item: TokenStream,
    kind: Kind,
    variant: &Variant,
) -> TokenStream {
    let function = match Function::parse(item.clone()) {
        Ok(function) => function,
        Err(error) => return with_error(item, error),
    };
    let checked = check_signature(&function, kind).and_then(|()| Config::parse(args, kind, variant));
    match checked {
        Ok(config) => generate(function, &config, kind, variant),
        // The function too, so that nothing else seems to be missing.
        Err(error) => {
            let fallback = generate(function, &Config::default(), kind, variant);
            with_error(fallback, error)
        }
    }
}

fn with_error(mut tokens: TokenStream, error: Error) -> TokenStream {
    tokens.extend(error.into_compile_error());
    tokens
}

fn check_signature(function: &Function, kind: Kind) -> Result<()> {
    if !function.is_async {
        return Err(Error::new(
            function.fn_span,
            "the `async` keyword is missing from the function declaration",
        ));
    }
    if kind == Kind::Main && function.has_parameters && is_word(Some(&function.name), "main") {
        return Err(Error::at(Some(&function.name), "the main function cannot accept arguments"));
    }
    if kind == Kind::Test {
        if let Some(attribute) = function.attributes.iter().find(|a| is_test_attribute(a)) {
            let sign = attribute.clone().into_iter().next();
            return Err(Error::at(
                sign.as_ref(),
                "second test attribute is supplied, consider removing or changing the order of your \
                 test attributes",
            ));
        }
    }
    Ok(())
}

/// Whether it is `#[test]`, or that by its path in the standard library.
fn is_test_attribute(attribute: &TokenStream) -> bool {
    let Some(TokenTree::Group(group)) = attribute.clone().into_iter().nth(1) else { return false };
    let words: Vec<String> = group.stream().into_iter().map(|token| token.to_string()).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).filter(|word| *word != ":").collect();
    match words[..] {
        ["test"] => true,
        [krate, "prelude", _, "test"] => matches!(krate, "core" | "std"),
        _ => false,
    }
}

fn generate(function: Function, config: &Config, kind: Kind, variant: &Variant) -> TokenStream {
    let here = Span::call_site();
    // Where the body ends: there the compiler points to when the output does not fit.
    let end = function.body.clone().into_iter().last().map_or(function.body_span, |token| token.span());
    let fill = |text: &str, holes: &[(&str, &TokenStream)]| template(text, end, holes);
    let one = |token: &TokenTree| TokenStream::from(token.clone());

    let krate = match &config.krate {
        Some(path) => path.clone(),
        None => {
            let name = TokenTree::from(Ident::new(variant.krate, end)).into();
            fill("::$name", &[("name", &name)])
        }
    };
    let flavor = config.flavor(kind, variant);
    let mut builder = match flavor {
        Flavor::MultiThread => {
            fill("$krate::runtime::Builder::new_multi_thread()", &[("krate", &krate)])
        }
        Flavor::CurrentThread | Flavor::Local => {
            fill("$krate::runtime::Builder::new_current_thread()", &[("krate", &krate)])
        }
    };
    if let Some((n, _)) = config.worker_threads {
        builder.extend(fill(".worker_threads($n)", &[("n", &number(n))]));
    }
    if let Some((paused, _)) = config.start_paused {
        builder.extend(fill(&format!(".start_paused({paused})"), &[]));
    }
    if let Some((value, _)) = &config.unhandled_panic {
        let behavior = if value == "ignore" { "Ignore" } else { "ShutdownRuntime" };
        let text = format!(".unhandled_panic($krate::runtime::UnhandledPanic::{behavior})");
        builder.extend(fill(&text, &[("krate", &krate)]));
    }
    if let Some((name, _)) = &config.name {
        builder.extend(fill(".name($name)", &[("name", &one(name))]));
    }
    let build = match flavor {
        Flavor::Local => fill("build_local(::core::default::Default::default())", &[]),
        _ => fill("build()", &[]),
    };

    let body_name = template("body", here, &[]);
    let run = fill(
        "#[allow(clippy::expect_used, clippy::diverging_sub_expression, clippy::needless_return, clippy::unwrap_in_result)]
        {
            return $builder
                .enable_all()
                .$build
                .expect(\"Failed building the Runtime\")
                .block_on($body);
        }",
        &[("builder", &builder), ("build", &build), ("body", &body_name)],
    );
    let (attribute, pin) = match kind {
        // A test's future is pinned behind `dyn`: hundreds of tests then share one `block_on`.
        Kind::Test => (
            "#[::core::prelude::v1::test]",
            "let body: ::core::pin::Pin<&mut dyn ::core::future::Future<Output = $output>> =
                ::core::pin::pin!(body);",
        ),
        Kind::Main => ("", ""),
    };
    let output = function.output.unwrap_or_else(|| template("()", here, &[]));
    template(
        &format!(
            "{attribute}
            $attributes
            $qualifiers $signature {{
                let body = async {{ $body }};
                {pin}
                $run
            }}"
        ),
        here,
        &[
            ("attributes", &function.attributes.into_iter().collect()),
            ("qualifiers", &function.qualifiers),
            ("signature", &function.signature),
            ("body", &function.body),
            ("output", &output),
            ("run", &run),
        ],
    )
}
