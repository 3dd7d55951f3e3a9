//! Reading and making tokens, with what the standard library has.
//!
//! A parser for all of Rust would take longer to build than the runtime itself, and these macros look at very
//! little of what they are given: the rest is handed on as it is, for the compiler to judge.

use proc_macro::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};

/// What is wrong, and where.
#[derive(Debug)]
pub(crate) struct Error {
    span: Span,
    message: String,
}

pub(crate) type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub(crate) fn new(span: Span, message: impl Into<String>) -> Error {
        Error { span, message: message.into() }
    }

    /// At the next token, or at the macro's call if there is none.
    pub(crate) fn at(token: Option<&TokenTree>, message: impl Into<String>) -> Error {
        Error::new(token.map_or_else(Span::call_site, TokenTree::span), message)
    }

    pub(crate) fn into_compile_error(self) -> TokenStream {
        let mut message = Literal::string(&self.message);
        message.set_span(self.span);
        let message = TokenStream::from(TokenTree::from(message));
        template("::core::compile_error! { $message }", self.span, &[("message", &message)])
    }
}

/// Reads a list of tokens from front to back.
pub(crate) struct Cursor {
    tokens: Vec<TokenTree>,
    next: usize,
}

impl Cursor {
    pub(crate) fn new(tokens: TokenStream) -> Cursor {
        Cursor { tokens: tokens.into_iter().collect(), next: 0 }
    }

    pub(crate) fn rest(&self) -> &[TokenTree] {
        &self.tokens[self.next..]
    }

    pub(crate) fn peek(&self) -> Option<&TokenTree> {
        self.rest().first()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest().is_empty()
    }

    /// Takes the next `n` tokens.
    pub(crate) fn take(&mut self, n: usize) -> TokenStream {
        let taken = self.tokens[self.next..self.next + n].iter().cloned().collect();
        self.next += n;
        taken
    }

    /// Takes the next token if it is this word.
    pub(crate) fn take_word(&mut self, word: &str) -> bool {
        let found = is_word(self.peek(), word);
        self.next += usize::from(found);
        found
    }

    /// Takes what comes next if it is this operator, of one or two characters.
    pub(crate) fn take_op(&mut self, op: &str) -> bool {
        let found = is_op(self.rest(), op);
        if found {
            self.next += op.len();
        }
        found
    }

    /// As [`take_op`](Cursor::take_op), of what has to be there.
    pub(crate) fn expect_op(&mut self, op: &str) -> Result<()> {
        if self.take_op(op) {
            return Ok(());
        }
        Err(Error::at(self.peek(), format!("expected `{op}`")))
    }

    /// Takes the next token if it is a group of this kind.
    pub(crate) fn take_group(&mut self, delimiter: Delimiter) -> Option<Group> {
        match self.peek() {
            Some(TokenTree::Group(group)) if group.delimiter() == delimiter => {
                let group = group.clone();
                self.next += 1;
                Some(group)
            }
            _ => None,
        }
    }
}

pub(crate) fn is_word(token: Option<&TokenTree>, word: &str) -> bool {
    matches!(token, Some(TokenTree::Ident(ident)) if ident.to_string() == word)
}

pub(crate) fn is_char(token: Option<&TokenTree>, char: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == char)
}

/// Whether tokens begin with this operator. One of a single character may be part of a longer one.
pub(crate) fn is_op(tokens: &[TokenTree], op: &str) -> bool {
    op.chars().enumerate().all(|(i, char)| {
        let is_last = i + 1 == op.len();
        matches!(tokens.get(i), Some(TokenTree::Punct(punct))
            if punct.as_char() == char && (is_last || punct.spacing() == Spacing::Joint))
    })
}

/// Makes tokens of a text, in which each `$name` stands for others. Those of the text itself get `span`.
pub(crate) fn template(text: &str, span: Span, holes: &[(&str, &TokenStream)]) -> TokenStream {
    let tokens = text.parse().expect("a template is made of tokens");
    fill(tokens, span, holes)
}

fn fill(tokens: TokenStream, span: Span, holes: &[(&str, &TokenStream)]) -> TokenStream {
    let mut filled = TokenStream::new();
    let mut tokens = tokens.into_iter();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == '$' => {
                let name = tokens.next().expect("a name follows").to_string();
                let hole = holes.iter().find(|(hole, _)| *hole == name);
                let (_, with) = hole.unwrap_or_else(|| panic!("nothing is there for ${name}"));
                filled.extend((*with).clone());
            }
            TokenTree::Group(group) => {
                let mut group = Group::new(group.delimiter(), fill(group.stream(), span, holes));
                group.set_span(span);
                filled.extend([TokenTree::from(group)]);
            }
            mut token => {
                token.set_span(span);
                filled.extend([token]);
            }
        }
    }
    filled
}

/// A name that no name of the user's can meet.
pub(crate) fn hidden(name: &str) -> TokenStream {
    TokenTree::from(Ident::new(name, Span::mixed_site())).into()
}

pub(crate) fn number(n: usize) -> TokenStream {
    TokenTree::from(Literal::usize_unsuffixed(n)).into()
}

/// `n` items, one behind the other.
pub(crate) fn concat(items: impl IntoIterator<Item = TokenStream>) -> TokenStream {
    items.into_iter().collect()
}

/// The tokens of all items, each followed by a comma.
pub(crate) fn comma_separated<'a>(items: impl IntoIterator<Item = &'a TokenStream>) -> TokenStream {
    let mut list = TokenStream::new();
    for item in items {
        list.extend(item.clone());
        list.extend([TokenTree::from(Punct::new(',', Spacing::Alone))]);
    }
    list
}

/// What a literal is within the invisible brackets around what a macro's variable stands for.
pub(crate) fn unwrap_invisible(token: TokenTree) -> TokenTree {
    if let TokenTree::Group(group) = &token {
        if group.delimiter() == Delimiter::None {
            let mut inner = group.stream().into_iter();
            if let (Some(first), None) = (inner.next(), inner.next()) {
                return unwrap_invisible(first);
            }
        }
    }
    token
}
