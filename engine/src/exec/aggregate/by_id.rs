//! Groups that are ids: a single dictionary key with many values, or keys of few bits, need no table.
//!
//! Keys of few bits index arrays of all groups. Of a dictionary key, rows of a row group are
//! aggregated by local code, in arrays that mostly stay in the cache. When the code book changes,
//! what was collected is added to arrays by id. Ids ascend with the codes, so the large arrays are
//! walked in order, and nothing is hashed. Must not know other workers.

use std::sync::Arc;

use super::Work;
use super::accumulators::Groups;
use super::groups::DirectKey;
use super::states::{States, Which};
use super::worker::Partial;
use crate::context::{Context, Reservation};
use crate::kernel;
use crate::types::{Error, Result};
use crate::vector::{Batch, CodeBook, Vector};

/// Batches after which it is looked whether all ids were seen.
const LOOK_BATCHES: u32 = 16;

/// Accumulators by local code and by id.
#[derive(Debug)]
pub(super) struct ById {
    key: DirectKey,
    /// The code book of `local`.
    book: Option<Arc<CodeBook>>,
    /// By code: whether a row had it. NULL's code is the last.
    present: Vec<bool>,
    /// By code; only of those that merge cheaply.
    local: Option<States>,
    /// For the next code book, cleared.
    spare: Option<States>,
    /// How many codes either has room for.
    room: usize,
    /// A bit by id. NULL's id is the last.
    seen: Vec<u64>,
    /// Every key that there may be has its bit.
    has_seen_all: bool,
    batch_count: u32,
    /// By id.
    states: States,
    ids: Vec<u32>,
    /// The codes and ids of the groups that are added, kept for the next code book.
    added: (Vec<u32>, Vec<u32>),
    row_count: u64,
    memory: Reservation,
}

impl ById {
    pub(super) fn new(work: &Work, key: DirectKey, context: &Context) -> Result<ById> {
        let group_count = key.last_id() as usize + 1;
        let mut states = work.states()?;
        states.resize_ahead(group_count, Which::All)?;
        let mut by_id = ById {
            key,
            book: None,
            present: Vec::new(),
            local: None,
            spare: None,
            room: 0,
            seen: vec![0; group_count.div_ceil(64)],
            has_seen_all: false,
            batch_count: 0,
            states,
            ids: Vec::new(),
            added: (Vec::new(), Vec::new()),
            row_count: 0,
            memory: context.memory.reservation("grouping"),
        };
        by_id.account()?;
        Ok(by_id)
    }

    /// Takes over the groups of a table.
    pub(super) fn absorb(&mut self, table: &Partial) -> Result<()> {
        let to = table.table.ids();
        let from: Vec<u32> = super::groups::all_groups(&table.table);
        for id in &to {
            mark(&mut self.seen, *id);
        }
        self.states.merge(&table.states, Which::All, &from, &to)?;
        self.account()
    }

    /// Takes a batch.
    pub(super) fn update(&mut self, work: &Work, batch: &Batch, context: &Context) -> Result<()> {
        let inputs = work.inputs.run(batch, context)?;
        self.row_count += batch.len() as u64;
        let Some(dictionary) = self.key.dictionary() else {
            let keys = work.keys.run(batch, context)?;
            let ids = work.ids_of_keys(&keys, batch.len())?;
            return self.update_ids(work, &ids, &inputs);
        };
        let key = work.keys.run_one(dictionary, batch, context)?;
        let Vector::Dictionary(vector) = &key else {
            return Err(Error::internal("a key column lost its dictionary"));
        };
        if vector.book().ids().is_none() {
            return self.update_ids(work, vector.codes(), &inputs);
        }
        self.follow_book(work, vector.book())?;
        let codes = vector.codes();
        for code in codes {
            self.present[*code as usize] = true;
        }
        let local = self.local.as_mut().expect("it follows the book");
        local.feed(work, Which::Cheap, Groups::Each(codes), &inputs)?;
        if !local.are_cheap() {
            self.ids.clear();
            vector.append_ids(self.key.last_id(), &mut self.ids);
            self.states.feed(work, Which::Costly, Groups::Each(&self.ids), &inputs)?;
        }
        self.account()
    }

    fn update_ids(&mut self, work: &Work, ids: &[u32], inputs: &[Vector]) -> Result<()> {
        if !self.has_seen_all {
            for id in ids {
                mark(&mut self.seen, *id);
            }
            self.look_for_unseen();
        }
        self.states.feed(work, Which::All, Groups::Each(ids), inputs)?;
        self.account()
    }

    /// Finds out now and then whether there is an id left to be seen.
    fn look_for_unseen(&mut self) {
        self.batch_count += 1;
        if self.batch_count.is_multiple_of(LOOK_BATCHES) {
            let seen_count = kernel::count_bits(&self.seen) as u128;
            self.has_seen_all = seen_count == self.key.key_count();
        }
    }

    fn follow_book(&mut self, work: &Work, book: &Arc<CodeBook>) -> Result<()> {
        if self.book.as_ref().is_some_and(|present| Arc::ptr_eq(present, book)) {
            return Ok(());
        }
        self.flush()?;
        let code_count = book.null_code() as usize + 1;
        self.book = Some(Arc::clone(book));
        self.present.clear();
        self.present.resize(code_count, false);
        // Much more room than there are codes would cost more to clear than new memory does.
        let spare = self.spare.take().filter(|_| self.room / 2 <= code_count);
        self.room = if spare.is_some() { self.room.max(code_count) } else { code_count };
        let mut local = spare.map_or_else(|| work.states(), Ok)?;
        local.resize_ahead(self.room, Which::Cheap)?;
        self.local = Some(local);
        Ok(())
    }

    /// Adds what was collected by code to the arrays by id.
    ///
    /// # Errors
    /// `OutOfMemory`.
    fn flush(&mut self) -> Result<()> {
        let Some(book) = self.book.take() else { return Ok(()) };
        let ids = book.ids().unwrap_or_default();
        let null_id = self.key.last_id();
        let (from, to) = &mut self.added;
        from.clear();
        to.clear();
        for (code, present) in (0_u32..).zip(&self.present) {
            if *present {
                let id = ids.get(code as usize).copied().unwrap_or(null_id);
                mark(&mut self.seen, id);
                from.push(code);
                to.push(id);
            }
        }
        if let Some(mut local) = self.local.take() {
            local.settle()?;
            self.states.merge(&local, Which::Cheap, from, to)?;
            self.spare = local.clear(Which::Cheap).then_some(local);
        }
        self.account()
    }

    /// Ends the partial phase.
    ///
    /// # Errors
    /// `OutOfMemory`.
    pub(super) fn end(&mut self) -> Result<()> {
        self.flush()?;
        self.spare = None;
        self.added = (Vec::new(), Vec::new());
        self.states.sort_by_group()?;
        self.account()
    }

    fn account(&mut self) -> Result<()> {
        let other = self.local.iter().chain(&self.spare).map(States::bytes);
        let states = self.states.bytes() + other.sum::<usize>();
        let (from, to) = &self.added;
        let ids = (self.ids.capacity() + from.capacity() + to.capacity()) * size_of::<u32>();
        self.memory.resize(states + ids + self.seen.len() * 8 + self.present.len())
    }

    /// How many rows came by id or local code.
    pub(super) fn row_count(&self) -> u64 {
        self.row_count
    }

    /// Bytes reserved.
    pub(super) fn memory_bytes(&self) -> usize {
        self.memory.bytes()
    }
}

fn mark(seen: &mut [u64], id: u32) {
    seen[(id / 64) as usize] |= 1 << (id % 64);
}

/// Ids of a range, whose groups are finished together; a multiple of 64.
pub(super) const RANGE_LEN: u32 = 1 << 16;

/// How many ranges the groups of `key` have.
pub(super) fn range_count(key: &DirectKey) -> usize {
    (key.last_id() / RANGE_LEN) as usize + 1
}

/// The groups of range `range` of all workers: keys, then aggregates, a row a group, ids ascending.
///
/// # Errors
/// `OutOfRange` for sums.
pub(super) fn finish_range(work: &Work, workers: &[ById], range: usize) -> Result<Batch> {
    let words_per_range = (RANGE_LEN / 64) as usize;
    let first_word = range * words_per_range;
    let words = |worker: &ById| -> Vec<u64> {
        worker.seen.iter().skip(first_word).take(words_per_range).copied().collect()
    };
    let mut union = vec![0_u64; words_per_range];
    for worker in workers {
        union.iter_mut().zip(words(worker)).for_each(|(all, word)| *all |= word);
    }
    let positions = positions(&union);
    let mut rank = vec![0_u32; RANGE_LEN as usize];
    for (index, position) in (0_u32..).zip(&positions) {
        rank[*position as usize] = index;
    }
    let first_id = u32::try_from(first_word * 64).expect("ids are u32");
    let mut states = work.states()?;
    states.resize(positions.len())?;
    for worker in workers {
        let own = self::positions(&words(worker));
        let to: Vec<u32> = own.iter().map(|position| rank[*position as usize]).collect();
        let from: Vec<u32> = own.iter().map(|position| first_id + position).collect();
        states.merge(&worker.states, Which::All, &from, &to)?;
    }
    let ids: Vec<u32> = positions.iter().map(|position| first_id + position).collect();
    let mut columns = work.keys_of_ids(&ids)?;
    states.complete()?;
    columns.extend(work.results(states.each())?);
    Ok(Batch::new(columns, ids.len()))
}

/// The places of the bits that are set.
fn positions(words: &[u64]) -> Vec<u32> {
    let count: u32 = words.iter().map(|word| word.count_ones()).sum();
    let mut positions = Vec::with_capacity(count as usize);
    for (index, word) in (0_u32..).zip(words) {
        let mut rest = *word;
        while rest != 0 {
            positions.push(index * 64 + rest.trailing_zeros());
            rest &= rest - 1;
        }
    }
    positions
}
