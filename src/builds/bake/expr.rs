//! Expressions of bake files, from HCL and from its JSON form alike.

use crate::builds::Placed;
use crate::builds::yaml::{self, Data, Style};
use crate::source::Span;
use hcl_edit::Span as _;
use hcl_edit::expr::{self as hcl, BinaryOperator, Expression, TraversalOperator, UnaryOperator};
use hcl_edit::template::Element;

/// An expression with the place where it is written.
#[derive(Clone, Debug)]
pub(super) struct Expr {
    pub(super) kind: Kind,
    pub(super) span: Span,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    Null,
    Bool(bool),
    /// A string, a template, a number.
    Text(Vec<Part>),
    List(Vec<Expr>),
    Map(Vec<(Expr, Expr)>),
    Variable(String),
    Conditional(Box<[Expr; 3]>),
    Call(String, Vec<Expr>),
    Get(Box<Expr>, String),
    Index(Box<Expr>, Box<Expr>),
    Not(Box<Expr>),
    Binary(Operator, Box<[Expr; 2]>),
    For(Box<For>),
    /// Anything else.
    Opaque,
}

/// The operators whose result matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    And,
    Or,
}

/// `[for k, v in collection : value if condition]`, `{for … : key => value}`.
#[derive(Clone, Debug)]
pub(super) struct For {
    pub(super) key_name: Option<String>,
    pub(super) value_name: String,
    pub(super) collection: Expr,
    pub(super) key: Option<Expr>,
    pub(super) value: Expr,
    pub(super) condition: Option<Expr>,
}

/// A stretch of a template.
#[derive(Clone, Debug)]
pub(super) enum Part {
    Literal(Placed),
    Interpolation(Expr, Span),
    /// `%{ if … }` and the like.
    Opaque(Span),
}

/// How deep expressions are followed; hcl-edit stops at 64 levels and 128 operators.
const MAX_DEPTH: u32 = 256;

/// Translates expressions of one text.
pub(super) struct Reader<'t> {
    pub(super) source: &'t str,
    /// Leads offsets of what is parsed back to the file: for a template in a JSON string.
    pub(super) inside: Option<Placed>,
}

impl Reader<'_> {
    fn span(&self, range: Option<std::ops::Range<usize>>) -> Span {
        let range = range.unwrap_or(0..0);
        match &self.inside {
            Some(inside) => inside.span(range),
            None => Span::new(range.start.min(range.end), range.end),
        }
    }

    pub(super) fn expression(&self, expression: &Expression, depth: u32) -> Expr {
        let span = self.span(expression.span());
        if depth > MAX_DEPTH {
            return Expr { kind: Kind::Opaque, span };
        }
        let next = |inner: &Expression| self.expression(inner, depth + 1);
        let boxed = |inner: &Expression| Box::new(next(inner));
        let kind = match expression {
            Expression::Null(_) => Kind::Null,
            Expression::Bool(value) => Kind::Bool(*value.value()),
            Expression::Number(number) => {
                Kind::Text(vec![Part::Literal(Placed::whole(number.value().to_string(), span))])
            }
            Expression::String(text) => Kind::Text(vec![Part::Literal(self.literal(text.value(), span))]),
            Expression::StringTemplate(template) => Kind::Text(self.template(template, depth)),
            Expression::HeredocTemplate(heredoc) => Kind::Text(self.template(&heredoc.template, depth)),
            Expression::Array(list) => Kind::List(list.iter().map(next).collect()),
            Expression::Object(object) => Kind::Map(
                object.iter().map(|(key, value)| (self.key(key, depth), next(value.expr()))).collect(),
            ),
            Expression::Parenthesis(inner) => return next(inner.inner()),
            Expression::Variable(name) => Kind::Variable(name.value().to_string()),
            Expression::Conditional(condition) => Kind::Conditional(Box::new([
                next(&condition.cond_expr),
                next(&condition.true_expr),
                next(&condition.false_expr),
            ])),
            Expression::FuncCall(call) if !call.name.is_namespaced() && !call.args.expand_final() => {
                Kind::Call(call.name.name.value().to_string(), call.args.iter().map(next).collect())
            }
            Expression::Traversal(traversal) => return self.traversal(traversal, depth),
            Expression::UnaryOp(unary) if *unary.operator.value() == UnaryOperator::Not => {
                Kind::Not(boxed(&unary.expr))
            }
            Expression::BinaryOp(binary) => {
                let operator = match binary.operator.value() {
                    BinaryOperator::Eq => Operator::Equal,
                    BinaryOperator::NotEq => Operator::NotEqual,
                    BinaryOperator::And => Operator::And,
                    BinaryOperator::Or => Operator::Or,
                    _ => return Expr { kind: Kind::Opaque, span },
                };
                Kind::Binary(operator, Box::new([next(&binary.lhs_expr), next(&binary.rhs_expr)]))
            }
            Expression::ForExpr(each) => Kind::For(Box::new(For {
                key_name: each.intro.key_var.as_ref().map(|name| name.value().to_string()),
                value_name: each.intro.value_var.value().to_string(),
                collection: next(&each.intro.collection_expr),
                key: each.key_expr.as_ref().map(next),
                value: next(&each.value_expr),
                condition: each.cond.as_ref().map(|condition| next(&condition.expr)),
            })),
            Expression::FuncCall(_) | Expression::UnaryOp(_) => Kind::Opaque,
        };
        Expr { kind, span }
    }

    fn key(&self, key: &hcl::ObjectKey, depth: u32) -> Expr {
        match key {
            hcl::ObjectKey::Ident(name) => {
                let span = self.span(name.span());
                Expr {
                    kind: Kind::Text(vec![Part::Literal(Placed::whole(name.value().as_str(), span))]),
                    span,
                }
            }
            hcl::ObjectKey::Expression(expression) => {
                let expression = self.expression(expression, depth + 1);
                match &expression.kind {
                    // A bare name is a key and no variable.
                    Kind::Variable(name) => {
                        let text = Placed::whole(name.as_str(), expression.span);
                        Expr { kind: Kind::Text(vec![Part::Literal(text)]), span: expression.span }
                    }
                    _ => expression,
                }
            }
        }
    }

    fn traversal(&self, traversal: &hcl::Traversal, depth: u32) -> Expr {
        let whole = self.span(traversal.span());
        let mut out = self.expression(&traversal.expr, depth + 1);
        for operator in traversal.operators.iter().take(64) {
            let kind = match operator.value() {
                TraversalOperator::GetAttr(name) => Kind::Get(Box::new(out), name.value().to_string()),
                TraversalOperator::Index(index) => {
                    Kind::Index(Box::new(out), Box::new(self.expression(index, depth + 1)))
                }
                TraversalOperator::LegacyIndex(index) => Kind::Get(Box::new(out), index.value().to_string()),
                TraversalOperator::AttrSplat(_) | TraversalOperator::FullSplat(_) => Kind::Opaque,
            };
            let opaque = matches!(kind, Kind::Opaque);
            out = Expr { kind, span: whole };
            if opaque {
                break;
            }
        }
        out
    }

    fn template<'e>(&self, template: impl IntoIterator<Item = &'e Element>, depth: u32) -> Vec<Part> {
        let part = |element: &Element| match element {
            Element::Literal(text) => {
                let span = self.span(text.span());
                Part::Literal(self.literal(text.value(), span))
            }
            Element::Interpolation(inner) => {
                Part::Interpolation(self.expression(&inner.expr, depth + 1), self.span(inner.span()))
            }
            Element::Directive(directive) => Part::Opaque(self.span(directive.span())),
        };
        template.into_iter().map(part).collect()
    }

    fn literal(&self, text: &str, span: Span) -> Placed {
        Placed::unquoted(text, self.source, span)
    }

    /// A value of the JSON form: strings are templates.
    pub(super) fn json(&self, node: &yaml::Node<'_>, depth: u32) -> Expr {
        let span = node.span;
        let kind = match &node.data {
            _ if depth > MAX_DEPTH => Kind::Opaque,
            Data::Seq(items) => Kind::List(items.iter().map(|item| self.json(item, depth + 1)).collect()),
            Data::Map(entries) => {
                let pair = |entry: &yaml::Entry<'_>| {
                    let key = entry.key.text().map(Placed::joined).unwrap_or_default();
                    let key = Expr { kind: Kind::Text(vec![Part::Literal(key)]), span: entry.key.span };
                    (key, self.json(&entry.value, depth + 1))
                };
                Kind::Map(entries.iter().map(pair).collect())
            }
            Data::Scalar(scalar) if scalar.style == Style::Plain => match &*scalar.text.text {
                "null" => Kind::Null,
                "true" => Kind::Bool(true),
                "false" => Kind::Bool(false),
                _ => Kind::Text(vec![Part::Literal(Placed::joined(&scalar.text))]),
            },
            Data::Scalar(scalar) => {
                let placed = Placed::joined(&scalar.text);
                if !placed.text.contains("${") && !placed.text.contains("%{") {
                    return Expr { kind: Kind::Text(vec![Part::Literal(placed)]), span };
                }
                match hcl_edit::parser::parse_template(&placed.text) {
                    Ok(template) => {
                        let inner = Reader { source: self.source, inside: Some(placed) };
                        Kind::Text(inner.template(&template, depth))
                    }
                    Err(_) => Kind::Text(vec![Part::Literal(placed)]),
                }
            }
        };
        Expr { kind, span }
    }
}

impl Expr {
    /// A list of names, `[a, b]` or one alone, if all are plain.
    pub(super) fn plain(&self) -> Option<String> {
        match &self.kind {
            Kind::Text(parts) => match parts.as_slice() {
                [] => Some(String::new()),
                [Part::Literal(text)] => Some(text.text.clone()),
                _ => None,
            },
            _ => None,
        }
    }
}
