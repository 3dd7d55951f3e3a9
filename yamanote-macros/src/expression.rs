//! Where an expression ends.
//!
//! Most of what could hold a comma is in brackets, and so a single token here. What is not: generic arguments and
//! the parameters of closures. To know those from comparisons and bitwise or, it is followed whether an operand or an
//! operator comes next.

use proc_macro::{Delimiter, Spacing, TokenTree};

use crate::tokens::{is_char, is_op, is_word};

/// How many tokens the expression at the front takes: up to a comma, or to the end.
pub(crate) fn expression_len(tokens: &[TokenTree]) -> usize {
    let mut i = 0;
    let mut expects_operand = true;
    while i < tokens.len() && !is_char(tokens.get(i), ',') {
        i += if expects_operand {
            operand(&tokens[i..], &mut expects_operand)
        } else {
            operator(&tokens[i..], &mut expects_operand)
        };
    }
    i.min(tokens.len())
}

/// Takes what comes where an operand may begin: the operand, or something before it.
fn operand(tokens: &[TokenTree], expects_operand: &mut bool) -> usize {
    match &tokens[0] {
        TokenTree::Ident(word) => match word.to_string().as_str() {
            "for" if is_char(tokens.get(1), '<') => 1 + angles(&tokens[1..]),
            // Patterns, in which `|` is no closure's.
            "for" => 1 + position(&tokens[1..], |rest| is_word(rest.first(), "in")),
            "let" => 1 + position(&tokens[1..], is_assignment),
            "as" | "async" | "await" | "break" | "const" | "continue" | "else" | "if" | "in"
            | "loop" | "match" | "move" | "return" | "static" | "unsafe" | "while" | "yield" => 1,
            _ => {
                *expects_operand = false;
                1
            }
        },
        TokenTree::Literal(_) | TokenTree::Group(_) => {
            *expects_operand = false;
            1
        }
        TokenTree::Punct(punct) => match punct.as_char() {
            '|' => closure_head(tokens),
            '<' => {
                *expects_operand = false;
                angles(tokens)
            }
            // A label.
            '\'' => 2 + usize::from(is_char(tokens.get(2), ':')),
            // An attribute.
            '#' => 2,
            _ => 1,
        },
    }
}

/// Takes what comes behind an operand: more of it, or an operator.
fn operator(tokens: &[TokenTree], expects_operand: &mut bool) -> usize {
    let punct = match &tokens[0] {
        TokenTree::Ident(word) if word.to_string() == "as" => return 1 + type_len(&tokens[1..]),
        TokenTree::Ident(word) if word.to_string() == "else" => {
            *expects_operand = true;
            return 1;
        }
        TokenTree::Ident(_) | TokenTree::Literal(_) | TokenTree::Group(_) => return 1,
        TokenTree::Punct(punct) => punct,
    };
    if is_op(tokens, "::") {
        return if is_char(tokens.get(2), '<') { 2 + angles(&tokens[2..]) } else { 3 };
    }
    match punct.as_char() {
        '.' if is_op(tokens, "..") => {
            *expects_operand = true;
            2 + usize::from(is_op(&tokens[1..], ".="))
        }
        // A field, a method, or `await`.
        '.' => 2,
        '?' => 1,
        // A macro's.
        '!' if matches!(tokens.get(1), Some(TokenTree::Group(_))) => 2,
        _ => {
            *expects_operand = true;
            let long = ["<<=", ">>=", "||", "&&", "<<", ">>", "<=", ">=", "==", "!=", "|=", "&="];
            long.iter().find(|op| is_op(tokens, op)).map_or(1, |op| op.len())
        }
    }
}

/// The parameters of a closure, and what it returns if it says so.
fn closure_head(tokens: &[TokenTree]) -> usize {
    let mut i = 1 + position(&tokens[1..], |rest| is_char(rest.first(), '|'));
    i += 1;
    if tokens.get(i..).is_some_and(|rest| is_op(rest, "->")) {
        i += position(&tokens[i..], |rest| match rest.first() {
            Some(TokenTree::Group(group)) => group.delimiter() == Delimiter::Brace,
            _ => false,
        });
    }
    i
}

/// What a value is cast to.
fn type_len(tokens: &[TokenTree]) -> usize {
    let mut i = 0;
    loop {
        let rest = &tokens[i.min(tokens.len())..];
        match rest.first() {
            Some(TokenTree::Punct(punct)) => match punct.as_char() {
                '&' | '*' => i += 1,
                '\'' => i += 2,
                '<' => {
                    i += angles(rest);
                    return i + path_len(&tokens[i.min(tokens.len())..]);
                }
                ':' if is_op(rest, "::") => return i + path_len(rest),
                _ => return i,
            },
            Some(TokenTree::Ident(word)) => match word.to_string().as_str() {
                "mut" | "const" | "dyn" | "unsafe" => i += 1,
                "fn" => {
                    // `fn(A, B) -> C`
                    i += 2;
                    if !tokens.get(i..).is_some_and(|rest| is_op(rest, "->")) {
                        return i;
                    }
                    i += 2;
                }
                _ => return i + 1 + path_len(&rest[1..]),
            },
            Some(_) => return i + 1,
            None => return i,
        }
    }
}

/// What follows the first name of a path.
fn path_len(tokens: &[TokenTree]) -> usize {
    let mut i = 0;
    while let Some(rest) = tokens.get(i..) {
        if is_op(rest, "::") {
            i += 2;
            i += usize::from(matches!(tokens.get(i), Some(TokenTree::Ident(_))));
        } else if is_char(rest.first(), '<') {
            i += angles(rest);
        } else {
            break;
        }
    }
    i
}

/// From an opening angle bracket to the one that closes it.
fn angles(tokens: &[TokenTree]) -> usize {
    let mut depth = 0;
    let mut before = None;
    for (i, token) in tokens.iter().enumerate() {
        if let TokenTree::Punct(punct) = token {
            match punct.as_char() {
                '<' => depth += 1,
                // Not an arrow's.
                '>' if before != Some('-') => depth -= 1,
                _ => {}
            }
            before = (punct.spacing() == Spacing::Joint).then_some(punct.as_char());
        } else {
            before = None;
        }
        if depth == 0 {
            return i + 1;
        }
    }
    tokens.len()
}

/// Whether an `=` stands here that is not part of a longer operator.
pub(crate) fn is_assignment(rest: &[TokenTree]) -> bool {
    is_char(rest.first(), '=') && !is_op(rest, "==") && !is_op(rest, "=>")
}

/// How many tokens lie before one at which this is true; all if it is at none. The end of `..=` is looked at by none.
pub(crate) fn position(tokens: &[TokenTree], is_here: impl Fn(&[TokenTree]) -> bool) -> usize {
    let mut i = 0;
    while i < tokens.len() {
        if is_op(&tokens[i..], "..=") {
            i += 3;
        } else if is_here(&tokens[i..]) {
            return i;
        } else {
            i += 1;
        }
    }
    tokens.len()
}
