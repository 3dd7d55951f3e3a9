//! What `join!` and `try_join!` expand to.
//!
//! Input: `(path of the runtime crate) try? biased;? futures`. The expansion keeps each future until it is done and
//! its output from then on; each poll begins with another future, unless `biased`, so that a budget that
//! one of them spends does not starve those behind it.

use proc_macro::{Delimiter, Span, TokenStream};

use crate::expression::expression_len;
use crate::tokens::{Cursor, Error, Result, comma_separated, concat, hidden, is_char, number, template};

struct Join {
    krate: TokenStream,
    /// Ends with the first error.
    tries: bool,
    biased: bool,
    futures: Vec<TokenStream>,
}

impl Join {
    fn parse(input: TokenStream) -> Result<Join> {
        let mut input = Cursor::new(input);
        let krate = input.take_group(Delimiter::Parenthesis);
        let krate = krate.expect("given by `join!`").stream();
        let tries = input.take_word("try");
        let biased =
            is_char(input.rest().get(1), ';') && input.take_word("biased") && input.take_op(";");
        let mut futures = Vec::new();
        while !input.is_empty() {
            let len = expression_len(input.rest());
            if len == 0 {
                return Err(Error::at(input.peek(), "expected an expression"));
            }
            futures.push(input.take(len));
            input.take_op(",");
        }
        Ok(Join { krate, tries, biased, futures })
    }
}

pub(crate) fn expand(input: TokenStream) -> TokenStream {
    match Join::parse(input) {
        Ok(join) => generate(&join),
        Err(error) => error.into_compile_error(),
    }
}

fn generate(join: &Join) -> TokenStream {
    let Join { krate, tries, biased, futures: made } = join;
    let here = Span::call_site();
    if made.is_empty() {
        let result = if *tries { "::core::result::Result::Ok(())" } else { "" };
        return template(&format!("async {{ {result} }}.await"), here, &[]);
    }
    let (futures, first, count) = (hidden("futures"), hidden("first"), number(made.len()));
    let of_future = |index: &TokenStream, text: &str| {
        template(text, here, &[("futures", &futures), ("index", index), ("krate", krate)])
    };
    let indices: Vec<TokenStream> = (0..made.len()).map(number).collect();

    // The first error is the result; the others are dropped.
    let on_ready = if *tries {
        "if $krate::macros::support::is_err(future.as_mut().output_mut().expect(\"just completed\")) {
            let output = future.take_output().expect(\"just completed\");
            return ::core::task::Poll::Ready($krate::macros::support::error_of(output));
        }"
    } else {
        ""
    };
    // SAFETY: the tuple is not moved once it was made, and nothing but the closure below reaches it.
    let pinned = "#[allow(unused_mut)]
        let mut future = unsafe { ::core::pin::Pin::new_unchecked(&mut $futures.$index) };";
    let poll_arm = format!(
        "$index => {{
            {pinned}
            if ::core::future::Future::poll(future.as_mut(), cx).is_pending() {{
                is_pending = true;
            }} else {{
                {on_ready}
            }}
        }}"
    );
    let output = if *tries {
        format!(
            "{{
                {pinned}
                let output = future.as_mut().take_output().expect(\"all are complete\");
                match output {{
                    ::core::result::Result::Ok(output) => output,
                    ::core::result::Result::Err(_) => ::core::unreachable!(\"told when it came\"),
                }}
            }}"
        )
    } else {
        format!("{{ {pinned} future.as_mut().take_output().expect(\"all are complete\") }}")
    };
    let arms = concat(indices.iter().map(|index| of_future(index, &poll_arm)));
    let outputs: Vec<TokenStream> = indices.iter().map(|index| of_future(index, &output)).collect();
    let outputs = comma_separated(&outputs);
    let outputs = if *tries {
        template("::core::result::Result::Ok(($outputs))", here, &[("outputs", &outputs)])
    } else {
        template("($outputs)", here, &[("outputs", &outputs)])
    };
    let made: Vec<TokenStream> = made
        .iter()
        .map(|made| {
            let holes = [("krate", krate), ("made", made)];
            template("$krate::macros::support::maybe_done($made)", here, &holes)
        })
        .collect();
    let made = comma_separated(&made);
    let (declare, start) = if *biased {
        ("", "let start = 0u32;")
    } else {
        ("let mut $first: u32 = 0;", "let start = $first; $first = (start + 1) % $count;")
    };
    // In one tuple, polled in place: a future is not moved after it was made.
    let text = format!(
        "{{
            let mut $futures = ($made);
            let mut $futures = &mut $futures;
            {declare}
            $krate::macros::support::poll_fn(move |cx| {{
                let mut is_pending = false;
                #[allow(clippy::modulo_one)]
                {{
                    {start}
                    for i in 0..$count {{
                        let branch = (start + i) % $count;
                        match branch {{
                            $arms
                            _ => ::core::unreachable!(\"there is no such future\"),
                        }}
                    }}
                }}
                if is_pending {{
                    ::core::task::Poll::Pending
                }} else {{
                    ::core::task::Poll::Ready($outputs)
                }}
            }})
            .await
        }}"
    );
    let holes = [
        ("krate", krate),
        ("futures", &futures),
        ("first", &first),
        ("count", &count),
        ("made", &made),
        ("arms", &arms),
        ("outputs", &outputs),
    ];
    template(&text, here, &holes)
}
