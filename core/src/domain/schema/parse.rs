//! Reading schema files, and a county's additions to them. Must not compile anything in.

use serde::Deserialize;

use super::{Code, CodeList, Container, FieldKind, Schema, SchemaError};

#[derive(Deserialize)]
struct SchemaFile {
    version: u32,
    #[serde(default)]
    container: Vec<Container>,
}

impl Schema {
    /// Reads a file of containers and a file of code lists.
    ///
    /// # Errors
    /// `Malformed`; `UnknownList` for a choice without its list.
    pub fn parse(containers_toml: &str, codes_toml: &str) -> Result<Self, SchemaError> {
        let file: SchemaFile =
            toml::from_str(containers_toml).map_err(|_| SchemaError::Malformed)?;
        let schema = Self {
            version: file.version,
            containers: file.container,
            code_lists: code_lists(codes_toml)?,
        };
        schema.check_lists()?;
        Ok(schema)
    }

    /// This schema with a county's own fields and codes. The files have the same form; a container
    /// names only the fields to add, a list only the codes to add.
    ///
    /// # Errors
    /// `UnknownContainer`, or `Exists` for anything that would change what is there.
    pub fn extended(&self, containers_toml: &str, codes_toml: &str) -> Result<Self, SchemaError> {
        let file: SchemaFile =
            toml::from_str(containers_toml).map_err(|_| SchemaError::Malformed)?;
        let mut schema = self.clone();
        for addition in file.container {
            let container =
                schema.containers.iter_mut().find(|container| container.name == addition.name);
            let container =
                container.ok_or_else(|| SchemaError::UnknownContainer(addition.name.clone()))?;
            for field in addition.fields {
                if container.fields.iter().any(|known| known.name == field.name) {
                    return Err(SchemaError::Exists(format!("{}.{}", addition.name, field.name)));
                }
                container.fields.push(field);
            }
        }
        for addition in code_lists(codes_toml)? {
            match schema.code_lists.iter_mut().find(|list| list.name == addition.name) {
                None => schema.code_lists.push(addition),
                Some(list) => {
                    for code in addition.codes {
                        if list.codes.iter().any(|known| known.code == code.code) {
                            return Err(SchemaError::Exists(format!(
                                "{}.{}",
                                list.name, code.code
                            )));
                        }
                        list.codes.push(code);
                    }
                }
            }
        }
        schema.version = schema.version.max(file.version);
        schema.check_lists()?;
        Ok(schema)
    }

    fn check_lists(&self) -> Result<(), SchemaError> {
        for (_, field) in self.fields() {
            if let FieldKind::Choice { list } = &field.kind
                && self.code_list(list).is_none()
            {
                return Err(SchemaError::UnknownList(list.clone()));
            }
        }
        Ok(())
    }
}

pub(super) fn code_lists(toml: &str) -> Result<Vec<CodeList>, SchemaError> {
    let tables: toml::Table = toml::from_str(toml).map_err(|_| SchemaError::Malformed)?;
    tables
        .into_iter()
        .map(|(name, codes)| {
            let toml::Value::Table(codes) = codes else { return Err(SchemaError::Malformed) };
            let codes = codes.into_iter().map(|(code, labels)| {
                let [zh, en]: [String; 2] =
                    labels.try_into().map_err(|_| SchemaError::Malformed)?;
                Ok(Code { code, zh, en })
            });
            Ok(CodeList { name, codes: codes.collect::<Result<_, _>>()? })
        })
        .collect()
}
