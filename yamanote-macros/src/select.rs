//! What `select!` expands to.
//!
//! Input: `(path of the runtime crate) branches`. A branch is `pattern = future, if condition => handler`.
//! The expansion evaluates the conditions, makes the futures, polls those that are enabled from a start chosen
//! at random (or in order, if `biased`), disables a branch whose output its pattern does not match, and runs
//! the handler of the first that does, after all futures are dropped.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{format_ident, quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{Error, Expr, Pat, Token};

/// Upstream's limit; it is that of the mask of disabled branches.
const MAX_BRANCHES: usize = 64;

struct Branch {
    pattern: Pat,
    future: Expr,
    condition: Option<Expr>,
    handler: TokenStream,
}

struct Select {
    krate: TokenStream,
    biased: bool,
    branches: Vec<Branch>,
    otherwise: Option<TokenStream>,
}

/// A handler: a block, after which a comma may be missing, or any expression.
fn parse_handler(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    if input.peek(syn::token::Brace) {
        let block: TokenTree = input.parse()?;
        let _: Option<Token![,]> = input.parse()?;
        return Ok(block.into());
    }
    let handler: Expr = input.parse()?;
    if !input.is_empty() {
        let _: Token![,] = input.parse()?;
    }
    Ok(quote!(#handler))
}

impl Parse for Select {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let krate;
        syn::parenthesized!(krate in input);
        let krate: TokenStream = krate.parse()?;
        mod keyword {
            syn::custom_keyword!(biased);
        }
        let biased = input.peek(keyword::biased) && input.peek2(Token![;]);
        if biased {
            let _: keyword::biased = input.parse()?;
            let _: Token![;] = input.parse()?;
        }
        let (mut branches, mut otherwise) = (Vec::new(), None);
        while !input.is_empty() {
            if input.peek(Token![else]) {
                let _: Token![else] = input.parse()?;
                let _: Token![=>] = input.parse()?;
                otherwise = Some(parse_handler(input)?);
                if !input.is_empty() {
                    return Err(input.error("the `else` branch has to be the last one"));
                }
                break;
            }
            let pattern = Pat::parse_multi_with_leading_vert(input)?;
            let _: Token![=] = input.parse()?;
            let future: Expr = input.parse()?;
            let condition = if input.peek(Token![,]) {
                let _: Token![,] = input.parse()?;
                let _: Token![if] = input.parse()?;
                Some(input.parse()?)
            } else {
                None
            };
            let _: Token![=>] = input.parse()?;
            let handler = parse_handler(input)?;
            branches.push(Branch { pattern, future, condition, handler });
        }
        if branches.is_empty() && otherwise.is_none() {
            return Err(Error::new(Span::call_site(), "select! requires at least one branch."));
        }
        if branches.len() > MAX_BRANCHES {
            let message = format!("select! takes up to {MAX_BRANCHES} branches");
            return Err(Error::new(branches[MAX_BRANCHES].pattern.span(), message));
        }
        Ok(Select { krate, biased, branches, otherwise })
    }
}

pub(crate) fn expand(input: TokenStream) -> TokenStream {
    match syn::parse2::<Select>(input) {
        Ok(select) => generate(select),
        Err(error) => error.into_compile_error(),
    }
}

/// The smallest integer with a bit for each branch: it is part of the future's size.
fn mask_type(branches: usize) -> Ident {
    let name = match branches {
        0..=8 => "u8",
        9..=16 => "u16",
        17..=32 => "u32",
        _ => "u64",
    };
    Ident::new(name, Span::call_site())
}

fn generate(select: Select) -> TokenStream {
    let Select { krate, biased, branches, otherwise } = select;
    if branches.is_empty() {
        let otherwise = otherwise.unwrap_or_default();
        return quote!({ #otherwise });
    }
    let count = branches.len();
    let count_u32 = count as u32;
    let mask = mask_type(count);
    // Names of ours that no name of the user's can meet.
    let here = Span::mixed_site();
    let names: Vec<Ident> = (0..count).map(|i| format_ident!("_{i}", span = here)).collect();
    let index: Vec<syn::Index> = (0..count).map(syn::Index::from).collect();
    let number: Vec<u32> = (0..count_u32).collect();
    let bit: Vec<TokenStream> = (0..count).map(|i| quote!((1 as #mask) << #i)).collect();

    let conditions = branches.iter().zip(&bit).filter_map(|(branch, bit)| {
        let condition = branch.condition.as_ref()?;
        let disabled = Ident::new("disabled", here);
        Some(quote_spanned! {condition.span()=>
            let enabled: bool = #condition;
            if !enabled {
                #disabled |= #bit;
            }
        })
    });
    let disabled = Ident::new("disabled", here);
    let futures = Ident::new("futures", here);
    let output = Ident::new("output", here);
    let module = Ident::new("__yamanote_select", here);

    let futures_made = branches.iter().map(|branch| {
        let future = &branch.future;
        quote_spanned!(future.span()=> #future)
    });
    let patterns = branches.iter().map(|branch| {
        let mut pattern = branch.pattern.clone();
        by_reference(&mut pattern);
        pattern
    });
    let start =
        if biased { quote!(0u32) } else { quote!(#krate::macros::support::thread_rng_n(#count_u32)) };
    let arms = branches.iter().zip(&names).map(|(branch, name)| {
        let Branch { pattern, handler, .. } = branch;
        quote!(#module::Out::#name(#pattern) => #handler,)
    });
    let otherwise = otherwise.unwrap_or_else(|| {
        quote!(::core::panic!("all branches are disabled and there is no else branch"))
    });

    quote! {{
        #[doc(hidden)]
        mod #module {
            pub(super) enum Out<#(#names),*> {
                #(#names(#names),)*
                Disabled,
            }
            pub(super) type Mask = #mask;
        }

        #[allow(unused_mut)]
        let mut #disabled: #module::Mask = ::core::default::Default::default();
        #(#conditions)*

        let #output = {
            // Made here, so that the handlers may use what the futures borrow.
            // First as they stand, so that temporaries they refer to live as long as they do. Then moved as a
            // whole, so that they do not take up their place twice.
            let #futures = (#(#futures_made,)*);
            #[allow(unused_mut)]
            let mut #futures = #krate::macros::support::apply(#futures, |futures| {
                (#(#krate::macros::support::IntoFuture::into_future(futures.#index),)*)
            });
            let mut #futures = &mut #futures;

            #krate::macros::support::poll_fn(|cx| {
                match #krate::macros::support::poll_budget_available(cx) {
                    ::core::task::Poll::Ready(()) => {}
                    ::core::task::Poll::Pending => return ::core::task::Poll::Pending,
                }
                // As a whole: the closure would otherwise capture a reference to each future.
                let futures = &mut *#futures;
                let mut is_pending = false;
                let start = #start;
                for i in 0..#count_u32 {
                    #[allow(clippy::modulo_one)]
                    let branch = (start + i) % #count_u32;
                    match branch {
                        #(
                            #[allow(unreachable_code)]
                            #number => {
                                if #disabled & #bit != 0 {
                                    continue;
                                }
                                let future = &mut futures.#index;
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
                                #disabled |= #bit;
                                #[allow(unused_variables, unused_mut, clippy::all)]
                                #[allow(unreachable_patterns)]
                                match &output {
                                    #patterns => {}
                                    _ => continue,
                                }
                                return ::core::task::Poll::Ready(#module::Out::#names(output));
                            }
                        )*
                        _ => ::core::unreachable!("there is no such branch"),
                    }
                }
                if is_pending {
                    ::core::task::Poll::Pending
                } else {
                    ::core::task::Poll::Ready(#module::Out::Disabled)
                }
            })
            .await
        };

        // A temporary, so that patterns may take `ref mut`.
        match ::core::convert::identity(#output) {
            #(#arms)*
            #module::Out::Disabled => { #otherwise }
            #[allow(unreachable_patterns)]
            _ => ::core::unreachable!("the pattern matched before"),
        }
    }}
}

/// Makes a pattern fit a reference to what it is meant for: bindings take no `ref` and no `mut` there.
fn by_reference(pattern: &mut Pat) {
    match pattern {
        Pat::Ident(ident) => {
            ident.by_ref = None;
            ident.mutability = None;
            if let Some((_, inner)) = &mut ident.subpat {
                by_reference(inner);
            }
        }
        Pat::Or(or) => or.cases.iter_mut().for_each(by_reference),
        Pat::Slice(slice) => slice.elems.iter_mut().for_each(by_reference),
        Pat::Struct(fields) => fields.fields.iter_mut().for_each(|f| by_reference(&mut f.pat)),
        Pat::Tuple(tuple) => tuple.elems.iter_mut().for_each(by_reference),
        Pat::TupleStruct(tuple) => tuple.elems.iter_mut().for_each(by_reference),
        Pat::Reference(reference) => by_reference(&mut reference.pat),
        Pat::Type(typed) => by_reference(&mut typed.pat),
        Pat::Paren(paren) => by_reference(&mut paren.pat),
        _ => {}
    }
}
