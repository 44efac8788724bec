//! Parsing and evaluating expressions.

use super::value::{Sym, Val, loose_eq};
use crate::builds::Volatility;

/// Nesting after which an expression counts as unknown.
const MAX_DEPTH: u32 = 64;
/// Operators and indexes after which it does.
const MAX_NODES: u32 = 400;

/// An expression's tree.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::builds) enum Expr {
    /// A literal.
    Literal(Val),
    /// `root.name.name`, `root['name']`.
    Path(String, Vec<Expr>),
    /// `!x`
    Not(Box<Expr>),
    /// `a op b`
    Binary(Op, Box<Expr>, Box<Expr>),
    /// `name(a, b)`
    Call(String, Vec<Expr>),
    /// `f(x).name`, `(…)['name']`.
    Index(Box<Expr>, Box<Expr>),
}

/// The binary operators, in their order of precedence from low to high.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::builds) enum Op {
    /// `||`
    Or,
    /// `&&`
    And,
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
}

impl Op {
    fn text(self) -> &'static str {
        match self {
            Self::Or => "||",
            Self::And => "&&",
            Self::Eq => "==",
            Self::Ne => "!=",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
        }
    }
}

/// What an expression may ask for.
pub(in crate::builds) trait Scope {
    /// The value of `root.path…`; names are lower case where GitHub ignores case (the root and its properties).
    fn lookup(&self, root: &str, path: &[String]) -> Val;
    /// The value of a comparison with a symbolic value, where the circumstances decide it.
    fn compare(&self, sym: &Sym, with: &str) -> Option<bool>;
    /// The value of `startsWith(sym, with)`, likewise.
    fn starts_with(&self, sym: &Sym, with: &str) -> Option<bool>;
}

/// Parses the text between `${{` and `}}`; `None` where it is not an expression.
pub(in crate::builds) fn parse(text: &str) -> Option<Expr> {
    let mut parser = Parser { rest: text, depth: 0, nodes: 0 };
    let expr = parser.binary(0)?;
    parser.space();
    parser.rest.is_empty().then_some(expr)
}

/// The end of the expression that starts at the beginning of `text` (after `${{`): the offset of its `}}`. Quoted strings
/// may hold braces.
pub(in crate::builds) fn end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\'' => at += 1 + memchr::memchr(b'\'', bytes.get(at + 1..)?)? + 1,
            b'}' if bytes.get(at + 1) == Some(&b'}') => return Some(at),
            _ => at += 1,
        }
    }
    None
}

struct Parser<'a> {
    rest: &'a str,
    depth: u32,
    nodes: u32,
}

impl Parser<'_> {
    fn count(&mut self) -> Option<()> {
        self.nodes += 1;
        (self.nodes <= MAX_NODES).then_some(())
    }

    fn space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn eat(&mut self, text: &str) -> bool {
        self.space();
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn operator(&mut self, level: u32) -> Option<Op> {
        let all: &[(&str, Op)] = match level {
            0 => &[("||", Op::Or)],
            1 => &[("&&", Op::And)],
            2 => &[("==", Op::Eq), ("!=", Op::Ne)],
            _ => &[("<=", Op::Le), (">=", Op::Ge), ("<", Op::Lt), (">", Op::Gt)],
        };
        all.iter().find(|(text, _)| self.eat(text)).map(|(_, op)| *op)
    }

    fn binary(&mut self, level: u32) -> Option<Expr> {
        if level > 3 {
            return self.unary();
        }
        let mut left = self.binary(level + 1)?;
        while let Some(op) = self.operator(level) {
            self.count()?;
            let right = self.binary(level + 1)?;
            left = Expr::Binary(op, Box::new(left), Box::new(right));
        }
        Some(left)
    }

    fn unary(&mut self) -> Option<Expr> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let expr = if self.eat("!") {
            Expr::Not(Box::new(self.unary()?))
        } else {
            let primary = self.primary()?;
            self.postfix(primary)?
        };
        self.depth -= 1;
        Some(expr)
    }

    fn primary(&mut self) -> Option<Expr> {
        if self.eat("(") {
            let inner = self.binary(0)?;
            return self.eat(")").then_some(inner);
        }
        self.space();
        match self.rest.bytes().next()? {
            b'\'' => self.string().map(|text| Expr::Literal(Val::Str(text))),
            b'0'..=b'9' | b'-' | b'+' | b'.' => self.number(),
            _ => {
                let name = self.name()?;
                Some(match name.as_str() {
                    "true" => Expr::Literal(Val::Bool(true)),
                    "false" => Expr::Literal(Val::Bool(false)),
                    "null" => Expr::Literal(Val::Null),
                    _ if self.eat("(") => Expr::Call(name.to_ascii_lowercase(), self.arguments()?),
                    _ => Expr::Path(name.to_ascii_lowercase(), Vec::new()),
                })
            }
        }
    }

    fn arguments(&mut self) -> Option<Vec<Expr>> {
        let mut list = Vec::new();
        if self.eat(")") {
            return Some(list);
        }
        loop {
            list.push(self.binary(0)?);
            if self.eat(")") {
                return Some(list);
            }
            if !self.eat(",") {
                return None;
            }
        }
    }

    fn postfix(&mut self, mut expr: Expr) -> Option<Expr> {
        loop {
            let index = if self.eat(".") {
                if self.eat("*") {
                    Expr::Literal(Val::Str("*".into()))
                } else {
                    Expr::Literal(Val::Str(self.name()?))
                }
            } else if self.eat("[") {
                if self.eat("*") {
                    if !self.eat("]") {
                        return None;
                    }
                    Expr::Literal(Val::Str("*".into()))
                } else {
                    let index = self.binary(0)?;
                    if !self.eat("]") {
                        return None;
                    }
                    index
                }
            } else {
                return Some(expr);
            };
            self.count()?;
            expr = match expr {
                Expr::Path(root, mut path) => {
                    path.push(index);
                    Expr::Path(root, path)
                }
                other => Expr::Index(Box::new(other), Box::new(index)),
            };
        }
    }

    fn name(&mut self) -> Option<String> {
        let end = self
            .rest
            .find(|ch: char| !(ch.is_ascii_alphanumeric() || ch == '_' || ch == '-'))
            .unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        (!name.is_empty()).then(|| name.to_owned())
    }

    fn string(&mut self) -> Option<String> {
        let mut text = String::new();
        let mut rest = self.rest.strip_prefix('\'')?;
        loop {
            let (before, after) = rest.split_once('\'')?;
            text.push_str(before);
            match after.strip_prefix('\'') {
                Some(next) => {
                    text.push('\'');
                    rest = next;
                }
                None => {
                    self.rest = after;
                    return Some(text);
                }
            }
        }
    }

    fn number(&mut self) -> Option<Expr> {
        let end = self
            .rest
            .find(|ch: char| !(ch.is_ascii_alphanumeric() || matches!(ch, '.' | '-' | '+')))
            .unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at_checked(end)?;
        let number = match digits.strip_prefix("0x") {
            Some(hex) => f64::from(u32::from_str_radix(hex, 16).ok()?),
            None => digits.parse().ok()?,
        };
        self.rest = rest;
        Some(Expr::Literal(Val::Num(number)))
    }
}

impl Expr {
    /// The value in `scope`.
    pub(in crate::builds) fn eval(&self, scope: &dyn Scope) -> Val {
        match self {
            Self::Literal(value) => value.clone(),
            Self::Path(root, path) => path_value(root, path, scope),
            Self::Not(inner) => match inner.eval(scope) {
                Val::Sym(sym) => Val::Sym(Sym::new(format!("!{}", sym.inner()), sym.volatility)),
                value => Val::Bool(!value.truthy()),
            },
            Self::Binary(op, left, right) => binary(*op, left, right, scope),
            Self::Call(name, args) => super::functions::call(name, args, scope),
            Self::Index(base, index) => {
                let (base, index) = (base.eval(scope), index.eval(scope));
                match (&base, &index) {
                    (Val::Sym(sym), _) => {
                        Val::Sym(Sym::new(format!("{}[{}]", sym.inner(), index.render()), sym.volatility))
                    }
                    (_, Val::Sym(sym)) => {
                        Val::Sym(Sym::new(format!("{}[{}]", base.render(), sym.inner()), Volatility::Unknown))
                    }
                    _ => base.index(&index.to_text()),
                }
            }
        }
    }
}

fn path_value(root: &str, path: &[Expr], scope: &dyn Scope) -> Val {
    let mut names = Vec::with_capacity(path.len());
    for index in path {
        match index.eval(scope) {
            Val::Sym(sym) => {
                let mut text = root.to_owned();
                names.iter().for_each(|name: &String| text = format!("{text}.{name}"));
                return Val::Sym(Sym::new(format!("{text}[{}]", sym.inner()), Volatility::Unknown));
            }
            known => names.push(known.to_text()),
        }
    }
    scope.lookup(root, &names)
}

fn binary(op: Op, left: &Expr, right: &Expr, scope: &dyn Scope) -> Val {
    let left = left.eval(scope);
    match op {
        Op::And => return left.and(|| right.eval(scope)),
        Op::Or => return left.or(|| right.eval(scope)),
        _ => {}
    }
    let right = right.eval(scope);
    let symbolic = |value: Option<bool>| match value {
        Some(value) => Val::Bool(value),
        None => Val::Sym(Sym::new(
            format!("{} {} {}", left.render(), op.text(), right.render()),
            left.volatility().max(right.volatility()),
        )),
    };
    let equal = match (&left, &right) {
        (Val::Sym(a), Val::Sym(b)) => (a.text == b.text).then_some(true),
        (Val::Sym(sym), known) | (known, Val::Sym(sym)) => {
            known.scalar().and_then(|text| scope.compare(sym, &text)).or_else(|| sym.all_options_equal(known))
        }
        (a, b) => Some(loose_eq(a, b)),
    };
    match op {
        Op::Eq => symbolic(equal),
        Op::Ne => symbolic(equal.map(|equal| !equal)),
        _ => {
            let order = match (left.number(), right.number()) {
                (Some(a), Some(b)) => a.partial_cmp(&b),
                _ => None,
            };
            symbolic(order.map(|order| match op {
                Op::Lt => order.is_lt(),
                Op::Le => order.is_le(),
                Op::Gt => order.is_gt(),
                _ => order.is_ge(),
            }))
        }
    }
}
