//! FORMAT.md against the code: every record's table, the version, and the numbers of kinds.

#[cfg(test)]
mod tests {
    use martlet_engine::encoding::Encoding;
    use martlet_engine::storage::format::{
        FileKind, LARGE_SECTION_ALIGNMENT, LAYOUTS, SECTION_ALIGNMENT, SectionKind, VERSION,
    };

    const FORMAT: &str = include_str!("../FORMAT.md");

    /// A record's table: its length and, for each field, offset, size and name.
    struct Table {
        title: String,
        len: usize,
        fields: Vec<(usize, usize, String)>,
    }

    /// The tables behind lines like `Record "Header", 128 bytes:`.
    fn tables() -> Vec<Table> {
        let mut tables: Vec<Table> = Vec::new();
        let mut is_open = false;
        for line in FORMAT.lines() {
            if let Some(rest) = line.strip_prefix("Record \"") {
                let (title, rest) = rest.split_once("\", ").expect("a title ends with a quote");
                let len = rest.strip_suffix(" bytes:").expect("a record has a length");
                let len = len.parse().expect("a length is a number");
                tables.push(Table { title: title.to_owned(), len, fields: Vec::new() });
                is_open = true;
            } else if !line.starts_with('|') {
                is_open &= tables.last().is_some_and(|table| table.fields.is_empty());
            } else if is_open && line.starts_with("| ") && !line.starts_with("| offset") {
                let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
                let number = |cell: &str| cell.parse().expect("offset and size are numbers");
                let table = tables.last_mut().expect("a table is open");
                table.fields.push((number(cells[0]), number(cells[1]), cells[2].to_owned()));
            }
        }
        tables
    }

    #[test]
    fn every_record_has_the_table_that_the_code_has() {
        let tables = tables();
        let titles: Vec<&str> = tables.iter().map(|table| table.title.as_str()).collect();
        let mut expected: Vec<&str> = LAYOUTS.iter().map(|layout| layout.title).collect();
        for table in &tables {
            let layout = LAYOUTS
                .iter()
                .find(|layout| layout.title == table.title)
                .unwrap_or_else(|| panic!("the code has no record {:?}", table.title));
            assert_eq!(table.len, layout.len, "{}", table.title);
            let mut offset = 0;
            let mut fields = Vec::new();
            for (size, name) in layout.fields {
                fields.push((offset, *size, (*name).to_owned()));
                offset += size;
            }
            assert_eq!(table.fields, fields, "{}", table.title);
            assert_eq!(offset, table.len, "{}", table.title);
        }
        let mut titles = titles;
        titles.sort_unstable();
        expected.sort_unstable();
        assert_eq!(titles, expected);
    }

    #[test]
    fn versions_and_alignments_are_those_of_the_code() {
        assert!(FORMAT.contains(&format!("Version {}.{}.", VERSION.0, VERSION.1)));
        assert!(FORMAT.contains(&format!("multiples of {SECTION_ALIGNMENT} bytes")));
        assert!(FORMAT.contains(&format!("multiples of {LARGE_SECTION_ALIGNMENT}.")));
    }

    #[test]
    fn kinds_and_encodings_have_the_numbers_of_the_code() {
        let kinds = (1..=5).map(|number| {
            let kind = FileKind::from_number(number).expect("there are five kinds");
            assert!(FORMAT.contains(&format!("| `{}-` + 16 hex digits |", kind.prefix())));
            match kind {
                FileKind::DatabaseManifest => format!("{number} database manifest"),
                FileKind::TableManifest => format!("{number} table manifest"),
                _ => format!("{number} {}", kind.prefix()),
            }
        });
        assert!(FORMAT.contains(&kinds.collect::<Vec<_>>().join(", ")));
        for (kind, name) in [
            (SectionKind::Manifest, "manifest"),
            (SectionKind::Chunk, "column chunk"),
            (SectionKind::CodeMap, "code map"),
            (SectionKind::Run, "piece of a dictionary run"),
            (SectionKind::Deletions, "deletion bitmap"),
        ] {
            assert!(FORMAT.contains(&format!("| {} | {name} |", kind.number())), "{name}");
        }
        for encoding in Encoding::ALL {
            let row = format!("| {} | ", encoding.id());
            assert!(FORMAT.contains(&row), "{encoding:?} has no row");
        }
    }
}
