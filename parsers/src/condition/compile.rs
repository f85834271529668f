//! From tokens to a checked condition. Precedence is CEL's: `||`, `&&`, comparisons, `!`, `.`.

use std::ops::Range;

use super::check::{Node, Placed, among, compare, expression, operand, search};
use super::lex::{Token, lex, wrong};
use super::{
    Comparison, Condition, ConditionError, Expression, Literal, MAX_DEPTH, MAX_LENGTH, Operand,
};

/// Functions of a value: `field.startsWith('a')`.
const METHODS: &[&str] = &["contains", "startsWith", "endsWith", "matches", "size"];
/// Functions by themselves: `has(field)`.
const FUNCTIONS: &[&str] = &["has", "size", "int", "double"];
/// How other languages write operators.
const WORDS: [(&str, &str); 3] = [("and", "&&"), ("or", "||"), ("not", "!")];

pub(super) fn compile(text: &str) -> Result<Condition, ConditionError> {
    if text.len() > MAX_LENGTH {
        return Err(wrong(0..text.len(), &format!("a condition has at most {MAX_LENGTH} bytes")));
    }
    let mut compiler = Compiler { tokens: lex(text)?, at: 0, depth: 0, names: Vec::new() };
    if compiler.peek() == &Token::End {
        return Err(wrong(0..text.len(), "there is no condition here"));
    }
    let whole = compiler.or()?;
    let expression = expression(whole)?;
    match compiler.peek() {
        Token::End => Ok(Condition { expression, names: compiler.names }),
        _ => Err(compiler.unexpected()),
    }
}

struct Compiler {
    tokens: Vec<(Token, Range<usize>)>,
    at: usize,
    depth: usize,
    names: Vec<String>,
}

impl Compiler {
    fn peek(&self) -> &Token {
        self.tokens.get(self.at).map_or(&Token::End, |(token, _)| token)
    }

    fn place(&self) -> Range<usize> {
        self.tokens.get(self.at).map_or(0..0, |(_, place)| place.clone())
    }

    fn takes(&mut self, sign: &str) -> bool {
        let there = matches!(self.peek(), Token::Sign(found) if *found == sign);
        self.at += usize::from(there);
        there
    }

    fn needs(&mut self, sign: &str) -> Result<(), ConditionError> {
        if self.takes(sign) {
            return Ok(());
        }
        Err(wrong(self.place(), &format!("`{sign}` is missing here")))
    }

    fn unexpected(&self) -> ConditionError {
        let mut error = wrong(self.place(), "this cannot stand here");
        error.help = match self.peek() {
            Token::Word { text, quoted: false } => WORDS
                .iter()
                .find(|(word, _)| text.eq_ignore_ascii_case(word))
                .map(|(_, sign)| format!("write `{sign}`")),
            Token::Sign("-") => {
                Some("a name with a `-` in it stands in backquotes: `` `x-id` ``".to_owned())
            }
            Token::End => {
                error.message = "the condition ends too early".to_owned();
                None
            }
            _ => None,
        };
        error
    }

    /// Goes one level deeper, if there is one.
    fn deeper<T>(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Result<T, ConditionError>,
    ) -> Result<T, ConditionError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let message = format!("conditions are nested at most {MAX_DEPTH} levels deep");
            return Err(wrong(self.place(), &message));
        }
        let done = inner(self);
        self.depth -= 1;
        done
    }

    fn or(&mut self) -> Result<Placed, ConditionError> {
        self.joined("||", Self::and, Expression::Or)
    }

    fn and(&mut self) -> Result<Placed, ConditionError> {
        self.joined("&&", Self::comparison, Expression::And)
    }

    fn joined(
        &mut self,
        sign: &str,
        part: fn(&mut Self) -> Result<Placed, ConditionError>,
        join: fn(Vec<Expression>) -> Expression,
    ) -> Result<Placed, ConditionError> {
        let first = part(self)?;
        if !matches!(self.peek(), Token::Sign(found) if *found == sign) {
            return Ok(first);
        }
        let start = first.1.start;
        let mut parts = vec![expression(first)?];
        let mut end = start;
        while self.takes(sign) {
            let next = part(self)?;
            end = next.1.end;
            parts.push(expression(next)?);
        }
        Ok((Node::Expression(join(parts)), start..end))
    }

    fn comparison(&mut self) -> Result<Placed, ConditionError> {
        let left = self.unary()?;
        let Some(how) = self.takes_comparison() else { return Ok(left) };
        let right = self.unary()?;
        let place = left.1.start..right.1.end;
        let compared = match how {
            Some(how) => compare(how, left, right)?,
            None => among(left, right)?,
        };
        let there = self.at;
        if self.takes_comparison().is_some() {
            self.at = there;
            let error = wrong(self.place(), "comparisons cannot be chained");
            return Err(ConditionError { help: Some("join two with `&&`".to_owned()), ..error });
        }
        Ok((Node::Expression(compared), place))
    }

    /// `Some(None)` is `in`.
    fn takes_comparison(&mut self) -> Option<Option<Comparison>> {
        let how = match self.peek() {
            Token::Sign("==") => Some(Comparison::Equal),
            Token::Sign("!=") => Some(Comparison::Unequal),
            Token::Sign("<") => Some(Comparison::Less),
            Token::Sign("<=") => Some(Comparison::LessOrEqual),
            Token::Sign(">") => Some(Comparison::More),
            Token::Sign(">=") => Some(Comparison::MoreOrEqual),
            Token::Word { text, quoted: false } if text == "in" => None,
            _ => return None,
        };
        self.at += 1;
        Some(how)
    }

    fn unary(&mut self) -> Result<Placed, ConditionError> {
        let start = self.place().start;
        if self.takes("!") {
            let inner = self.deeper(Self::unary)?;
            let place = start..inner.1.end;
            return Ok((Node::Expression(Expression::Not(Box::new(expression(inner)?))), place));
        }
        if self.takes("-") {
            let place = start..self.place().end;
            let number = match *self.peek() {
                Token::Int(number) => Literal::Int(-number),
                Token::Float(number) => Literal::Float(-number),
                _ => return Err(wrong(place, "a `-` stands only before a number")),
            };
            self.at += 1;
            return Ok((Node::Operand(Operand::Literal(number)), place));
        }
        self.member()
    }

    /// A value, and what is asked of it behind dots.
    fn member(&mut self) -> Result<Placed, ConditionError> {
        let mut whole = self.primary()?;
        loop {
            if self.takes("[") {
                let Token::Text(key) = self.peek().clone() else {
                    return Err(wrong(self.place(), "only a name in quotes can stand in brackets"));
                };
                self.at += 1;
                self.needs("]")?;
                whole = self.below(whole, &key)?;
            } else if self.takes(".") {
                let Token::Word { text, .. } = self.peek().clone() else {
                    return Err(self.unexpected());
                };
                let place = self.place();
                self.at += 1;
                whole = if self.takes("(") {
                    self.deeper(|it| it.method(whole, &text, place))?
                } else {
                    self.below(whole, &text)?
                };
            } else {
                return Ok(whole);
            }
        }
    }

    /// A name, and one more part of it.
    fn below(&mut self, (node, place): Placed, part: &str) -> Result<Placed, ConditionError> {
        let place = place.start..self.tokens.get(self.at - 1).map_or(place.end, |(_, it)| it.end);
        match node {
            Node::Operand(Operand::Name(name)) => {
                let name = format!("{name}.{part}");
                Ok((Node::Operand(Operand::Name(name.into())), place))
            }
            _ => Err(wrong(place, "only a field has parts")),
        }
    }

    fn primary(&mut self) -> Result<Placed, ConditionError> {
        let place = self.place();
        let literal = |literal| Ok((Node::Operand(Operand::Literal(literal)), place.clone()));
        let token = self.peek().clone();
        let error = self.unexpected();
        self.at += 1;
        match token {
            Token::Text(text) => literal(Literal::Text(text.into())),
            Token::Int(number) => literal(Literal::Int(number)),
            Token::Float(number) => literal(Literal::Float(number)),
            Token::Sign("(") => {
                let (node, _) = self.deeper(Self::or)?;
                let end = self.place().end;
                self.needs(")")?;
                Ok((node, place.start..end))
            }
            Token::Sign("[") => self.list(place.start),
            Token::Word { text, quoted: false } if text == "true" => literal(Literal::Bool(true)),
            Token::Word { text, quoted: false } if text == "false" => literal(Literal::Bool(false)),
            Token::Word { text, quoted: false } if text == "null" => literal(Literal::Null),
            Token::Word { text, quoted: false }
                if text == "in" || WORDS.iter().any(|(word, _)| *word == text) =>
            {
                Err(error)
            }
            Token::Word { text, quoted: false } if self.takes("(") => {
                self.deeper(|it| it.function(&text, place))
            }
            Token::Word { text, .. } => Ok((Node::Operand(Operand::Name(text.into())), place)),
            _ => Err(error),
        }
    }

    fn list(&mut self, start: usize) -> Result<Placed, ConditionError> {
        let mut items = Vec::new();
        while !self.takes("]") {
            let (node, place) = self.unary()?;
            let Node::Operand(Operand::Literal(literal)) = node else {
                return Err(wrong(place, "a list holds texts and numbers only"));
            };
            items.push(literal);
            if !self.takes(",") {
                self.needs("]")?;
                break;
            }
        }
        let end = self.tokens.get(self.at - 1).map_or(start, |(_, place)| place.end);
        Ok((Node::List(items), start..end))
    }

    /// What is within a function's parentheses, of which the first is gone.
    fn argument(&mut self, name: &str) -> Result<Placed, ConditionError> {
        if self.takes(")") {
            let place = self.tokens.get(self.at - 1).map_or(0..0, |(_, place)| place.clone());
            return Err(wrong(place, &format!("`{name}` asks for something in its parentheses")));
        }
        let argument = self.or()?;
        self.needs(")")?;
        Ok(argument)
    }

    fn function(&mut self, name: &str, place: Range<usize>) -> Result<Placed, ConditionError> {
        if !FUNCTIONS.contains(&name) {
            let mut error = wrong(place, &format!("there is no function `{name}`"));
            error.unknown = Some((name.to_owned(), FUNCTIONS));
            if name.eq_ignore_ascii_case("exists") {
                error = ConditionError { help: Some("write `has(field)`".to_owned()), ..error };
            } else if METHODS.iter().any(|it| it.eq_ignore_ascii_case(name)) {
                error.help = Some(format!("write `field.{name}(…)`"));
            }
            return Err(error);
        }
        let (node, at) = self.argument(name)?;
        let place = place.start..self.place().start.max(at.end);
        let node = match (name, node) {
            ("has", Node::Operand(Operand::Name(field))) => {
                self.note(&field);
                Node::Expression(Expression::Has(field))
            }
            ("has", _) => return Err(wrong(at, "`has` asks for a field")),
            (_, node) => {
                let operand = Box::new(self.operand((node, at))?);
                Node::Operand(match name {
                    "size" => Operand::Size(operand),
                    "int" => Operand::Int(operand),
                    _ => Operand::Double(operand),
                })
            }
        };
        Ok((node, place))
    }

    fn method(
        &mut self,
        subject: Placed,
        name: &str,
        place: Range<usize>,
    ) -> Result<Placed, ConditionError> {
        if !METHODS.contains(&name) {
            let mut error = wrong(place, &format!("there is no function `{name}` of a value"));
            error.unknown = Some((name.to_owned(), METHODS));
            let own = FUNCTIONS.iter().find(|it| it.eq_ignore_ascii_case(name));
            let own = own.copied().or(name.eq_ignore_ascii_case("exists").then_some("has"));
            error.help = own.map(|own| format!("write `{own}(field)`"));
            return Err(error);
        }
        let start = subject.1.start;
        let subject = self.operand(subject)?;
        let node = if name == "size" {
            self.needs(")")?;
            Node::Operand(Operand::Size(Box::new(subject)))
        } else {
            let argument = self.argument(name)?;
            let at = argument.1.clone();
            Node::Expression(search(name, subject, self.operand(argument)?, at)?)
        };
        let end = self.tokens.get(self.at - 1).map_or(start, |(_, place)| place.end);
        Ok((node, start..end))
    }

    /// A value that is asked for: notes the name, if it is one.
    fn operand(&mut self, placed: Placed) -> Result<Operand, ConditionError> {
        let operand = operand(placed)?;
        if let Operand::Name(name) = &operand {
            self.note(name);
        }
        Ok(operand)
    }

    fn note(&mut self, name: &str) {
        if !self.names.iter().any(|known| known == name) {
            self.names.push(name.to_owned());
        }
    }
}
