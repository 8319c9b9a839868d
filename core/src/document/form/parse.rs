//! Reading a form and holding it against the record: what it asks for must be there, and a notice must not ask for
//! what it may not show. Must not fill one in.

use super::{Column, Filter, FormError, FormKind, Part, Source, Template};
use crate::domain::notice;
use crate::domain::schema::{FieldKind, Schema, words};

impl Template {
    /// Reads a form and holds it against the record.
    ///
    /// # Errors
    /// The first reason against it.
    pub fn parse(schema: &Schema, text: &str) -> Result<Self, FormError> {
        let mut form: Self = toml::from_str(text).map_err(|error| malformed(text, &error))?;
        let over = match form.kind {
            FormKind::PerHousehold => None,
            FormKind::PerMember => Some("members"),
            FormKind::PerMeasure => Some("measures"),
            FormKind::VillageList => Some(""),
        };
        if let Some(over) = over {
            let [part] = form.parts.as_mut_slice() else { return Err(FormError::Parts) };
            if !part.over.is_empty() {
                return Err(FormError::Parts);
            }
            over.clone_into(&mut part.over);
        }
        form.check(schema)?;
        form.name_columns(schema);
        Ok(form)
    }

    /// Reads a form of an office's own: as [`Self::parse`], and under a name that no form of this release has, as what
    /// a sheet said is remembered by it.
    ///
    /// # Errors
    /// The first reason against it.
    pub fn parse_own(schema: &Schema, text: &str) -> Result<Self, FormError> {
        let form = Self::parse(schema, text)?;
        match Self::shipped().iter().any(|shipped| shipped.id == form.id) {
            true => Err(FormError::Shipped(form.id)),
            false => Ok(form),
        }
    }

    fn check(&self, schema: &Schema) -> Result<(), FormError> {
        let fits = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
        if self.id.is_empty() || !self.id.chars().all(fits) {
            return Err(FormError::Unnameable(self.id.clone()));
        }
        self.check_filter(schema)?;
        for part in &self.parts {
            self.check_lines(schema, part)?;
            for (at, column) in part.columns.iter().enumerate() {
                self.check_column(schema, &part.over, column)?;
                if part.columns[..at].iter().any(|other| other.from == column.from) {
                    return Err(FormError::Twice(column.from.name()));
                }
            }
            if let Some(order) = &part.order {
                let shown = self.columns().any(|column| column.from == *order);
                let of_rows = matches!(order, Source::Field(own, _) if *own == part.over);
                if !shown || !of_rows {
                    return Err(FormError::OutOfPlace(order.name()));
                }
            }
        }
        Ok(())
    }

    /// Who stands on a sheet tells what the filter asks: a public one has those whose case is public, and nobody else.
    fn check_filter(&self, schema: &Schema) -> Result<(), FormError> {
        let Filter::Tag(tag) = &self.filter else {
            let tells = match self.filter {
                Filter::OnNotice | Filter::Decided => None,
                Filter::All => Some("all"),
                Filter::Monitored => Some("monitored"),
                Filter::Open => Some("open"),
                Filter::Tag(_) => Some("tag"),
            };
            let denied = tells.filter(|_| self.public);
            return denied.map_or(Ok(()), |filter| Err(FormError::NotPublic(filter.to_owned())));
        };
        let field = format!("tag_{tag}");
        if schema.field("class", &field).is_none() {
            return Err(FormError::UnknownSource(field));
        }
        if self.public && notice::showing(schema, "class", &field).is_none() {
            return Err(FormError::NotPublic(field));
        }
        Ok(())
    }

    /// The lines of a part are rows; how many there are says something, even if nothing of them is shown.
    fn check_lines(&self, schema: &Schema, part: &Part) -> Result<(), FormError> {
        if part.over.is_empty() {
            return Ok(());
        }
        let known = schema.container(&part.over).filter(|container| container.rows);
        let known = known.ok_or_else(|| FormError::UnknownSource(part.over.clone()))?;
        let shown = |name: &str| notice::showing(schema, &part.over, name).is_some();
        if self.public && !known.fields.iter().any(|field| shown(&field.name)) {
            return Err(FormError::NotPublic(part.over.clone()));
        }
        Ok(())
    }

    fn check_column(&self, schema: &Schema, over: &str, column: &Column) -> Result<(), FormError> {
        let name = column.from.name();
        let (container, field) = match &column.from {
            Source::Derived(derived) if self.public && !derived.is_public() => {
                return Err(FormError::NotPublic(name));
            }
            Source::Derived(derived) if column.total && derived.unit().is_empty() => {
                return Err(FormError::OutOfPlace(name));
            }
            Source::Derived(_) => return Ok(()),
            Source::Field(container, field) => (container, field),
        };
        let rows = schema.container(container).is_some_and(|known| known.rows);
        let Some(known) = schema.field(container, field) else {
            return Err(FormError::UnknownSource(name));
        };
        if self.public && notice::showing(schema, container, field).is_none() {
            return Err(FormError::NotPublic(name));
        }
        let is_text = matches!(known.kind, FieldKind::Text { .. });
        let foreign_rows = rows && !over.is_empty() && container != over;
        // A field of rows in a part over the household is a text of all of them.
        let is_amount = matches!(&known.kind, FieldKind::Number { unit, .. } if !unit.is_empty());
        let summable = is_amount && (!rows || container == over);
        let misused = (column.masked && !is_text) || (column.total && !summable);
        if foreign_rows || known.kind == FieldKind::Photo || misused {
            return Err(FormError::OutOfPlace(name));
        }
        Ok(())
    }

    fn name_columns(&mut self, schema: &Schema) {
        let columns = self.parts.iter_mut().flat_map(|part| &mut part.columns);
        for column in columns.filter(|column| column.zh.is_empty()) {
            let label = match &column.from {
                Source::Field(container, field) => {
                    schema.field(container, field).map(|field| field.zh.clone())
                }
                Source::Derived(derived) => {
                    words("derived", derived.code()).map(|word| word.zh.clone())
                }
            };
            column.zh = label.unwrap_or_default();
        }
    }
}

/// Where the text stops being a form, and what the reader says. A field that is missing is missing from the whole.
fn malformed(text: &str, error: &toml::de::Error) -> FormError {
    let span = error.span().filter(|span| span.start > 0 && span.end <= text.len());
    let before = span.and_then(|span| text.get(..span.start));
    let line = before.map_or(0, |before| before.matches('\n').count() + 1);
    FormError::Malformed { line, reason: error.message().to_owned() }
}
