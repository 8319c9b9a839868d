//! Reading a form and holding it against the record: what it asks for must be there, and a notice must not ask for
//! what it may not show. Must not fill one in.

use super::{Column, Filter, FormError, FormKind, Source, Template};
use crate::domain::notice;
use crate::domain::schema::{FieldKind, Schema, words};

impl Template {
    /// Reads a form and holds it against the record.
    ///
    /// # Errors
    /// The first reason against it.
    pub fn parse(schema: &Schema, text: &str) -> Result<Self, FormError> {
        let mut form: Self = toml::from_str(text).map_err(|_| FormError::Malformed)?;
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

    fn check(&self, schema: &Schema) -> Result<(), FormError> {
        if let Filter::Tag(tag) = &self.filter {
            let field = format!("tag_{tag}");
            schema.field("class", &field).ok_or(FormError::UnknownSource(field))?;
        }
        for part in &self.parts {
            if !part.over.is_empty() && !schema.container(&part.over).is_some_and(|c| c.rows) {
                return Err(FormError::UnknownSource(part.over.clone()));
            }
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

    fn check_column(&self, schema: &Schema, over: &str, column: &Column) -> Result<(), FormError> {
        let name = column.from.name();
        let (container, field) = match &column.from {
            Source::Derived(derived) if self.public && !derived.is_public() => {
                return Err(FormError::NotPublic(name));
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
        if foreign_rows || known.kind == FieldKind::Photo || (column.masked && !is_text) {
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
