//! `#[main]` and `#[test]`.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Error, Ident, Lit, Path, Signature, Token, Visibility};

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

/// An `async fn` whose body is left as it is: what does not parse is the compiler's to tell.
struct Function {
    attributes: Vec<Attribute>,
    visibility: Visibility,
    signature: Signature,
    body: TokenStream,
    body_span: Span,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        let signature = input.parse()?;
        // A body from a macro's `$b:block` comes in an invisible group.
        if let Ok(block) = input.fork().parse::<syn::Block>() {
            let _: syn::Block = input.parse()?;
            let body_span = block.span();
            let statements = &block.stmts;
            return Ok(Function {
                attributes,
                visibility,
                signature,
                body: quote!(#(#statements)*),
                body_span,
            });
        }
        let content;
        let braces = syn::braced!(content in input);
        Ok(Function {
            attributes,
            visibility,
            signature,
            body: content.parse()?,
            body_span: braces.span.join(),
        })
    }
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
    name: Option<(String, Span)>,
    krate: Option<Path>,
}

fn set<T>(slot: &mut Option<T>, value: T, what: &str, span: Span) -> syn::Result<()> {
    if slot.replace(value).is_some() {
        return Err(Error::new(span, format!("`{what}` set multiple times.")));
    }
    Ok(())
}

fn string(lit: &Lit, what: &str) -> syn::Result<String> {
    match lit {
        Lit::Str(s) => Ok(s.value()),
        Lit::Verbatim(s) => Ok(s.to_string()),
        _ => Err(Error::new(lit.span(), format!("Failed to parse value of `{what}` as string."))),
    }
}

impl Config {
    fn parse(args: TokenStream, kind: Kind, variant: &Variant) -> syn::Result<Config> {
        let args = Punctuated::<syn::Meta, Token![,]>::parse_terminated.parse2(args)?;
        let mut config = Config::default();
        let macro_name = match kind {
            Kind::Main => "tokio::main",
            Kind::Test => "tokio::test",
        };
        for arg in &args {
            match arg {
                syn::Meta::NameValue(arg) => config.set(arg)?,
                syn::Meta::Path(path) => return Err(bare_word(path, macro_name)),
                syn::Meta::List(list) => {
                    return Err(Error::new(list.span(), "Unknown attribute inside the macro"));
                }
            }
        }
        config.check(kind, variant)?;
        Ok(config)
    }

    fn set(&mut self, arg: &syn::MetaNameValue) -> syn::Result<()> {
        let span = arg.span();
        let name = match arg.path.get_ident() {
            Some(ident) => ident.to_string().to_lowercase(),
            None => return Err(Error::new(span, "Must have specified ident")),
        };
        let syn::Expr::Lit(syn::ExprLit { lit, .. }) = &arg.value else {
            return Err(Error::new(arg.value.span(), "Must be a literal"));
        };
        match name.as_str() {
            "worker_threads" => {
                let Lit::Int(n) = lit else {
                    let message = "Failed to parse value of `worker_threads` as integer.";
                    return Err(Error::new(lit.span(), message));
                };
                let n: usize = n.base10_parse().map_err(|error| {
                    let message =
                        format!("Failed to parse value of `worker_threads` as integer: {error}");
                    Error::new(lit.span(), message)
                })?;
                if n == 0 {
                    return Err(Error::new(lit.span(), "`worker_threads` may not be 0."));
                }
                set(&mut self.worker_threads, (n, lit.span()), "worker_threads", span)
            }
            "flavor" => {
                let flavor = match string(lit, "flavor")?.as_str() {
                    "current_thread" => Flavor::CurrentThread,
                    "multi_thread" => Flavor::MultiThread,
                    "local" => Flavor::Local,
                    other => {
                        let hint = match other {
                            "single_thread" | "basic_scheduler" => "current_thread",
                            "threaded_scheduler" => "multi_thread",
                            _ => "",
                        };
                        let message = if hint.is_empty() {
                            format!(
                                "No such runtime flavor `{other}`. The runtime flavors are \
                                 `current_thread`, `local`, and `multi_thread`."
                            )
                        } else {
                            format!("The `{other}` runtime flavor is called `{hint}`.")
                        };
                        return Err(Error::new(lit.span(), message));
                    }
                };
                set(&mut self.flavor, (flavor, lit.span()), "flavor", span)
            }
            "start_paused" => {
                let Lit::Bool(b) = lit else {
                    let message = "Failed to parse value of `start_paused` as bool.";
                    return Err(Error::new(lit.span(), message));
                };
                set(&mut self.start_paused, (b.value, lit.span()), "start_paused", span)
            }
            "unhandled_panic" => {
                let value = string(lit, "unhandled_panic")?;
                if !matches!(value.as_str(), "ignore" | "shutdown_runtime") {
                    let message = format!(
                        "No such unhandled panic behavior `{value}`. The unhandled panic behaviors \
                         are `ignore` and `shutdown_runtime`."
                    );
                    return Err(Error::new(lit.span(), message));
                }
                set(&mut self.unhandled_panic, (value, lit.span()), "unhandled_panic", span)
            }
            "name" => {
                let value = string(lit, "name")?;
                set(&mut self.name, (value, lit.span()), "name", span)
            }
            "crate" => {
                let Lit::Str(path) = lit else {
                    let message = "Failed to parse value of `crate` as path.";
                    return Err(Error::new(lit.span(), message));
                };
                let path = path.parse_with(Path::parse_mod_style).map_err(|_| {
                    let message =
                        format!("Failed to parse value of `crate` as path: \"{}\"", path.value());
                    Error::new(lit.span(), message)
                })?;
                set(&mut self.krate, path, "crate", span)
            }
            other => Err(Error::new(
                span,
                format!(
                    "Unknown attribute {other} is specified; expected one of: `flavor`, \
                     `worker_threads`, `start_paused`, `crate`, `unhandled_panic`, `name`."
                ),
            )),
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
    fn check(&self, kind: Kind, variant: &Variant) -> syn::Result<()> {
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

/// An argument without a value: old spellings get a hint.
fn bare_word(path: &Path, macro_name: &str) -> Error {
    let Some(ident) = path.get_ident() else {
        return Error::new(path.span(), "Must have specified ident");
    };
    let name = ident.to_string().to_lowercase();
    let message = match name.as_str() {
        "threaded_scheduler" | "multi_thread" => {
            format!("Set the runtime flavor with #[{macro_name}(flavor = \"multi_thread\")].")
        }
        "basic_scheduler" | "current_thread" | "single_threaded" => {
            format!("Set the runtime flavor with #[{macro_name}(flavor = \"current_thread\")].")
        }
        "flavor" | "worker_threads" | "start_paused" | "crate" | "unhandled_panic" | "name" => {
            format!("The `{name}` attribute requires an argument.")
        }
        _ => format!(
            "Unknown attribute {name} is specified; expected one of: `flavor`, `worker_threads`, \
             `start_paused`, `crate`, `unhandled_panic`, `name`."
        ),
    };
    Error::new(path.span(), message)
}

pub(crate) fn expand(
    args: TokenStream,
    item: TokenStream,
    kind: Kind,
    variant: &Variant,
) -> TokenStream {
    let function = match syn::parse2::<Function>(item.clone()) {
        Ok(function) => function,
        Err(error) => return with_error(item, &error),
    };
    let checked = check_signature(&function, kind).and_then(|()| Config::parse(args, kind, variant));
    match checked {
        Ok(config) => generate(function, &config, kind, variant),
        // The function too, so that nothing else seems to be missing.
        Err(error) => {
            let fallback = generate(function, &Config::default(), kind, variant);
            with_error(fallback, &error)
        }
    }
}

fn with_error(mut tokens: TokenStream, error: &Error) -> TokenStream {
    tokens.extend(error.to_compile_error());
    tokens
}

fn check_signature(function: &Function, kind: Kind) -> syn::Result<()> {
    let signature = &function.signature;
    if signature.asyncness.is_none() {
        return Err(Error::new(
            signature.fn_token.span(),
            "the `async` keyword is missing from the function declaration",
        ));
    }
    if kind == Kind::Main && signature.ident == "main" && !signature.inputs.is_empty() {
        return Err(Error::new(signature.ident.span(), "the main function cannot accept arguments"));
    }
    if kind == Kind::Test {
        if let Some(attribute) = function.attributes.iter().find(|a| is_test_attribute(a)) {
            return Err(Error::new(
                attribute.span(),
                "second test attribute is supplied, consider removing or changing the order of your \
                 test attributes",
            ));
        }
    }
    Ok(())
}

fn is_test_attribute(attribute: &Attribute) -> bool {
    let mut segments = attribute.path().segments.iter().map(|s| s.ident.to_string());
    match (attribute.path().segments.len(), attribute.meta.require_path_only()) {
        (1, Ok(_)) => segments.next().is_some_and(|s| s == "test"),
        (4, Ok(_)) => {
            let path: Vec<String> = segments.collect();
            matches!(path[0].as_str(), "core" | "std") && path[1] == "prelude" && path[3] == "test"
        }
        _ => false,
    }
}

fn generate(function: Function, config: &Config, kind: Kind, variant: &Variant) -> TokenStream {
    let Function { attributes, visibility, mut signature, body, body_span } = function;
    signature.asyncness = None;
    // Where the body ends: there the compiler points to when the output does not fit.
    let end = last_span(&body).unwrap_or(body_span);

    let krate = match &config.krate {
        Some(path) => path.to_token_stream(),
        None => {
            let name = Ident::new(variant.krate, end);
            quote_spanned!(end=> ::#name)
        }
    };
    let mut builder = match config.flavor(kind, variant) {
        Flavor::MultiThread => quote_spanned! {end=>
            #krate::runtime::Builder::new_multi_thread()
        },
        Flavor::CurrentThread | Flavor::Local => quote_spanned! {end=>
            #krate::runtime::Builder::new_current_thread()
        },
    };
    if let Some((n, _)) = config.worker_threads {
        builder = quote_spanned!(end=> #builder.worker_threads(#n));
    }
    if let Some((paused, _)) = config.start_paused {
        builder = quote_spanned!(end=> #builder.start_paused(#paused));
    }
    if let Some((value, _)) = &config.unhandled_panic {
        let behavior = match value.as_str() {
            "shutdown_runtime" => quote_spanned!(end=> ShutdownRuntime),
            _ => quote_spanned!(end=> Ignore),
        };
        builder = quote_spanned! {end=>
            #builder.unhandled_panic(#krate::runtime::UnhandledPanic::#behavior)
        };
    }
    if let Some((name, _)) = &config.name {
        builder = quote_spanned!(end=> #builder.name(#name));
    }
    let build = match config.flavor(kind, variant) {
        Flavor::Local => quote_spanned!(end=> build_local(::core::default::Default::default())),
        _ => quote_spanned!(end=> build()),
    };

    let body_ident = quote!(body);
    let run = quote_spanned! {end=>
        #[allow(clippy::expect_used, clippy::diverging_sub_expression, clippy::needless_return, clippy::unwrap_in_result)]
        {
            return #builder
                .enable_all()
                .#build
                .expect("Failed building the Runtime")
                .block_on(#body_ident);
        }
    };

    let body = match kind {
        // A test's future is pinned behind `dyn`: hundreds of tests then share one `block_on`.
        Kind::Test => {
            let output = match &signature.output {
                syn::ReturnType::Default => quote!(()),
                syn::ReturnType::Type(_, ty) => quote!(#ty),
            };
            quote! {
                let body = async { #body };
                let body: ::core::pin::Pin<&mut dyn ::core::future::Future<Output = #output>> =
                    ::core::pin::pin!(body);
            }
        }
        Kind::Main => quote! {
            let body = async { #body };
        },
    };
    let test_attribute = match kind {
        Kind::Test => quote!(#[::core::prelude::v1::test]),
        Kind::Main => TokenStream::new(),
    };
    quote! {
        #test_attribute
        #(#attributes)*
        #visibility #signature {
            #body
            #run
        }
    }
}

fn last_span(tokens: &TokenStream) -> Option<Span> {
    tokens.clone().into_iter().last().map(|token| token.span())
}
