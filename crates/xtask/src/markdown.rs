//! Tables and code spans of a Markdown page.

/// A table with the heading it stands under.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Table {
    /// The nearest heading above, without its `#`.
    pub(crate) heading: String,
    /// The line of the header row, counted from 1.
    pub(crate) line: usize,
    pub(crate) header: Vec<String>,
    pub(crate) rows: Vec<Row>,
}

/// A row with its line, counted from 1.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) line: usize,
    pub(crate) cells: Vec<String>,
}

impl Row {
    /// A cell by its column, empty where the row is too short.
    pub(crate) fn cell(&self, column: usize) -> &str {
        self.cells.get(column).map_or("", String::as_str)
    }
}

/// All tables of a page; what stands in fenced blocks is no table.
pub(crate) fn tables(page: &str) -> Vec<Table> {
    let mut tables: Vec<Table> = Vec::new();
    let mut heading = String::new();
    let (mut fenced, mut in_table) = (false, false);
    for (index, line) in page.lines().enumerate() {
        let line = line.trim();
        fenced ^= line.starts_with("```");
        let is_row = !fenced && line.starts_with('|');
        if !fenced && line.starts_with('#') {
            line.trim_start_matches('#').trim().clone_into(&mut heading);
        } else if is_row && !in_table {
            tables.push(Table {
                heading: heading.clone(),
                line: index + 1,
                header: cells(line),
                rows: Vec::new(),
            });
        } else if let (true, Some(table)) = (is_row && !is_rule(line), tables.last_mut()) {
            table.rows.push(Row { line: index + 1, cells: cells(line) });
        }
        in_table = is_row;
    }
    tables
}

/// What stands in backticks.
pub(crate) fn code_spans(text: &str) -> impl Iterator<Item = &str> {
    let closed = text.matches('`').count() / 2;
    text.split('`').skip(1).step_by(2).take(closed).map(str::trim)
}

fn is_rule(line: &str) -> bool {
    line.chars().all(|c| "|-: ".contains(c))
}

/// Splits at bars that no backslash escapes.
fn cells(line: &str) -> Vec<String> {
    let inner = line.strip_prefix('|').unwrap_or(line);
    let inner = inner.strip_suffix('|').unwrap_or(inner);
    let mut cells = vec![String::new()];
    let mut escaped = false;
    for c in inner.chars() {
        match (c, cells.last_mut()) {
            ('|', _) if !escaped => cells.push(String::new()),
            (_, Some(cell)) => cell.push(c),
            (_, None) => {}
        }
        escaped = c == '\\';
    }
    cells.iter().map(|cell| cell.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_have_heading_header_and_rows() {
        let page = "# Page\n\n## Rules\n\n| id | rule |\n|----|:---|\n| `a` | b \\| c |\n| d |\n\ntext\n";
        let [table] = tables(page).try_into().unwrap();
        assert_eq!((table.heading.as_str(), table.line), ("Rules", 5));
        assert_eq!(table.header, ["id", "rule"]);
        assert_eq!((table.rows[0].line, table.rows[0].cell(1)), (7, "b \\| c"));
        assert_eq!((table.rows[1].cell(0), table.rows[1].cell(1)), ("d", ""));
    }

    #[test]
    fn fenced_blocks_hold_no_tables_and_a_blank_line_parts_two() {
        let page = "```\n| no | table |\n```\n| a |\n|---|\n\n| b |\n|---|\n| 1 |\n";
        let headers: Vec<_> =
            tables(page).into_iter().map(|table| (table.header, table.rows.len())).collect();
        assert_eq!(headers, [(vec!["a".to_owned()], 0), (vec!["b".to_owned()], 1)]);
    }

    #[test]
    fn code_spans_need_both_backticks() {
        assert_eq!(code_spans("x `a::b`, ` c ` and `open").collect::<Vec<_>>(), ["a::b", "c"]);
    }
}
