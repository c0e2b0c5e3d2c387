//! Which rows of a window survive a filter.

use std::ops::Range;

/// Ascending positions, or a whole range while nothing was filtered out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// Every row of the range.
    All(Range<u32>),
    /// These rows.
    Rows(Vec<u32>),
}

impl Selection {
    /// How many rows.
    pub fn len(&self) -> usize {
        match self {
            Selection::All(range) => range.len(),
            Selection::Rows(rows) => rows.len(),
        }
    }

    /// Whether no row is left.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether no row was filtered out.
    pub fn is_all(&self) -> bool {
        matches!(self, Selection::All(_))
    }

    /// Keeps the rows for whose index in the selection `keep` holds. The loop has no branch on
    /// `keep`, so that its cost does not depend on how predictable the filter is.
    pub fn retain(&mut self, keep: impl Fn(usize) -> bool) {
        match self {
            Selection::All(range) => {
                let mut rows = vec![0_u32; range.len()];
                let mut kept = 0;
                for (index, row) in range.clone().enumerate() {
                    rows[kept] = row;
                    kept += usize::from(keep(index));
                }
                if kept < rows.len() {
                    rows.truncate(kept);
                    *self = Selection::Rows(rows);
                }
            }
            Selection::Rows(rows) => {
                let mut kept = 0;
                for index in 0..rows.len() {
                    let row = rows[index];
                    rows[kept] = row;
                    kept += usize::from(keep(index));
                }
                rows.truncate(kept);
            }
        }
    }

    /// The positions.
    pub fn to_rows(&self) -> Vec<u32> {
        match self {
            Selection::All(range) => range.clone().collect(),
            Selection::Rows(rows) => rows.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retain_keeps_exactly_the_rows_asked_for() {
        let mut selection = Selection::All(10..16);
        selection.retain(|_| true);
        assert!(selection.is_all());
        selection.retain(|index| index % 2 == 1);
        assert_eq!(selection, Selection::Rows(vec![11, 13, 15]));
        selection.retain(|index| index != 1);
        assert_eq!(selection.to_rows(), [11, 15]);
        selection.retain(|_| false);
        assert!(selection.is_empty());
    }
}
