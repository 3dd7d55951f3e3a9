//! What `join!` and `try_join!` expand to.
//!
//! Input: `(path of the runtime crate) try? biased;? futures`. The expansion keeps each future until it is done and
//! its output from then on; each poll begins with another future, unless `biased`, so that a budget that
//! one of them spends does not starve those behind it.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Expr, Ident, Token};

mod keyword {
    syn::custom_keyword!(biased);
}

struct Join {
    krate: TokenStream,
    /// Ends with the first error.
    tries: bool,
    biased: bool,
    futures: Vec<Expr>,
}

impl Parse for Join {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let krate;
        syn::parenthesized!(krate in input);
        let krate: TokenStream = krate.parse()?;
        let tries = input.parse::<Option<Token![try]>>()?.is_some();
        let biased = input.peek(keyword::biased) && input.peek2(Token![;]);
        if biased {
            let _: keyword::biased = input.parse()?;
            let _: Token![;] = input.parse()?;
        }
        let futures = Punctuated::<Expr, Token![,]>::parse_terminated(input)?;
        Ok(Join { krate, tries, biased, futures: futures.into_iter().collect() })
    }
}

pub(crate) fn expand(input: TokenStream) -> TokenStream {
    match syn::parse2::<Join>(input) {
        Ok(join) => generate(&join),
        Err(error) => error.into_compile_error(),
    }
}

fn generate(join: &Join) -> TokenStream {
    let Join { krate, tries, biased, futures: made } = join;
    let count = made.len();
    if count == 0 {
        return if *tries {
            quote!(async { ::core::result::Result::Ok(()) }.await)
        } else {
            quote!(async {}.await)
        };
    }
    let here = Span::mixed_site();
    let futures = Ident::new("futures", here);
    let first = Ident::new("first", here);
    let index: Vec<syn::Index> = (0..count).map(syn::Index::from).collect();
    let number: Vec<u32> = (0..count as u32).collect();
    let count = count as u32;

    let on_ready = if *tries {
        // The first error is the result; the others are dropped.
        quote! {
            if #krate::macros::support::is_err(future.as_mut().output_mut().expect("just completed")) {
                let output = future.take_output().expect("just completed");
                return ::core::task::Poll::Ready(#krate::macros::support::error_of(output));
            }
        }
    } else {
        TokenStream::new()
    };
    let outputs = if *tries {
        quote! {
            ::core::result::Result::Ok((#({
                // SAFETY: as below.
                let mut future = unsafe { ::core::pin::Pin::new_unchecked(&mut #futures.#index) };
                let output = future.as_mut().take_output().expect("all are complete");
                match output {
                    ::core::result::Result::Ok(output) => output,
                    ::core::result::Result::Err(_) => ::core::unreachable!("told when it came"),
                }
            },)*))
        }
    } else {
        quote! {
            (#({
                // SAFETY: as below.
                let mut future = unsafe { ::core::pin::Pin::new_unchecked(&mut #futures.#index) };
                future.as_mut().take_output().expect("all are complete")
            },)*)
        }
    };
    let poll_one = quote! {
        match branch {
            #(
                #number => {
                    // SAFETY: the tuple is not moved once it was made, and nothing but this closure reaches
                    // it.
                    #[allow(unused_mut)]
                    let mut future = unsafe { ::core::pin::Pin::new_unchecked(&mut #futures.#index) };
                    if ::core::future::Future::poll(future.as_mut(), cx).is_pending() {
                        is_pending = true;
                    } else {
                        #on_ready
                    }
                }
            )*
            _ => ::core::unreachable!("there is no such future"),
        }
    };
    let (declare, start) = if *biased {
        (TokenStream::new(), quote!(let start = 0u32;))
    } else {
        (
            quote!(let mut #first: u32 = 0;),
            quote! {
                let start = #first;
                #first = (start + 1) % #count;
            },
        )
    };
    quote! {{
        // In one tuple, polled in place: a future is not moved after this.
        let mut #futures = (#(#krate::macros::support::maybe_done(#made),)*);
        let mut #futures = &mut #futures;
        #declare
        #krate::macros::support::poll_fn(move |cx| {
            let mut is_pending = false;
            #[allow(clippy::modulo_one)]
            {
                #start
                for i in 0..#count {
                    let branch = (start + i) % #count;
                    #poll_one
                }
            }
            if is_pending {
                ::core::task::Poll::Pending
            } else {
                ::core::task::Poll::Ready(#outputs)
            }
        })
        .await
    }}
}
