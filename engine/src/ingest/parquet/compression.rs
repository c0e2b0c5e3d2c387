//! Decompression of a page into exactly as many bytes as its header says.
//!
//! The Parquet crate's own gzip and brotli decoders write as much as the stream holds, whatever the
//! header says; here nothing grows past the announced size, and memory is taken as output appears
//! or where the input can plausibly fill it.

use std::io::Read;

use parquet::basic::Compression;

/// A snappy element of 3 bytes gives at most 64; LZ4 gives at most 255 bytes for one.
const BLOCK_RATIO_MAX: usize = 256;

/// Decompresses `source` into exactly `target_bytes` bytes.
///
/// # Errors
/// One phrase that says what is wrong.
pub(super) fn decompress(
    codec: Compression,
    source: &[u8],
    target_bytes: usize,
) -> Result<Vec<u8>, String> {
    if target_bytes == 0 {
        return Ok(Vec::new());
    }
    let target = match codec {
        Compression::UNCOMPRESSED => source.to_vec(),
        Compression::SNAPPY => snappy(source, target_bytes)?,
        Compression::GZIP(_) => bounded(flate2::read::MultiGzDecoder::new(source), target_bytes)?,
        Compression::BROTLI(_) => bounded(brotli::Decompressor::new(source, 4_096), target_bytes)?,
        Compression::LZ4 => lz4(source, target_bytes)?,
        Compression::LZ4_RAW => lz4_block(source, target_bytes)?,
        Compression::ZSTD(_) => zstd(source, target_bytes)?,
        Compression::LZO => return Err("LZO compression is not supported".to_owned()),
    };
    if target.len() == target_bytes {
        Ok(target)
    } else {
        Err(format!("a page decompresses to {} bytes, not {target_bytes}", target.len()))
    }
}

/// Reads at most one byte more than wanted, so that a longer stream is noticed.
fn bounded(source: impl Read, target_bytes: usize) -> Result<Vec<u8>, String> {
    let limit = u64::try_from(target_bytes).unwrap_or(u64::MAX).saturating_add(1);
    // An honest page is decompressed without growing; a lie costs at most this.
    let mut target = Vec::with_capacity(target_bytes.min(1 << 22) + 1);
    source
        .take(limit)
        .read_to_end(&mut target)
        .map_err(|error| format!("a page does not decompress: {error}"))?;
    Ok(target)
}

fn snappy(source: &[u8], target_bytes: usize) -> Result<Vec<u8>, String> {
    let wrong = |error: snap::Error| format!("a page does not decompress: {error}");
    let announced = snap::raw::decompress_len(source).map_err(wrong)?;
    if announced != target_bytes {
        return Err(format!("a page decompresses to {announced} bytes, not {target_bytes}"));
    }
    let mut target = block_target(source, target_bytes)?;
    snap::raw::Decoder::new().decompress(source, &mut target).map_err(wrong)?;
    Ok(target)
}

fn lz4_block(source: &[u8], target_bytes: usize) -> Result<Vec<u8>, String> {
    let mut target = block_target(source, target_bytes)?;
    let length = lz4_flex::block::decompress_into(source, &mut target)
        .map_err(|error| format!("a page does not decompress: {error}"))?;
    target.truncate(length);
    Ok(target)
}

/// The deprecated LZ4: Hadoop's framing, but some writers wrote LZ4's own frame or a bare block.
fn lz4(source: &[u8], target_bytes: usize) -> Result<Vec<u8>, String> {
    if let Some(target) = lz4_hadoop(source, target_bytes) {
        return Ok(target);
    }
    match bounded(lz4_flex::frame::FrameDecoder::new(source), target_bytes) {
        Ok(target) if target.len() == target_bytes => Ok(target),
        _ => lz4_block(source, target_bytes),
    }
}

/// Blocks that begin with their lengths as big-endian `u32`s: decompressed, then compressed.
fn lz4_hadoop(source: &[u8], target_bytes: usize) -> Option<Vec<u8>> {
    let mut target = block_target(source, target_bytes).ok()?;
    let (mut rest, mut filled) = (source, 0_usize);
    while !rest.is_empty() {
        let block_bytes = take_length(&mut rest)?;
        let compressed_bytes = take_length(&mut rest)?;
        let block = target.get_mut(filled..filled.checked_add(block_bytes)?)?;
        let (compressed, behind) = rest.split_at_checked(compressed_bytes)?;
        if lz4_flex::block::decompress_into(compressed, block).ok()? != block_bytes {
            return None;
        }
        filled += block_bytes;
        rest = behind;
    }
    (filled == target_bytes).then_some(target)
}

fn take_length(rest: &mut &[u8]) -> Option<usize> {
    let (length, behind) = rest.split_first_chunk::<4>()?;
    *rest = behind;
    // Hadoop is the one big-endian place.
    let length = length.iter().fold(0_u32, |value, byte| value << 8 | u32::from(*byte));
    usize::try_from(length).ok()
}

fn block_target(source: &[u8], target_bytes: usize) -> Result<Vec<u8>, String> {
    if target_bytes / BLOCK_RATIO_MAX > source.len() {
        return Err(format!(
            "a page claims that {} bytes decompress to {target_bytes}",
            source.len()
        ));
    }
    Ok(vec![0; target_bytes])
}

#[cfg(feature = "zstd")]
fn zstd(source: &[u8], target_bytes: usize) -> Result<Vec<u8>, String> {
    let mut target = Vec::new();
    if target_bytes / BLOCK_RATIO_MAX > source.len() {
        // Suspiciously dense: take memory only as output appears.
        let decoder = zstd::stream::read::Decoder::with_buffer(source);
        return bounded(decoder.map_err(|error| error.to_string())?, target_bytes);
    }
    target.reserve_exact(target_bytes);
    let mut cursor = std::io::Cursor::new(&mut target);
    zstd::bulk::Decompressor::new()
        .and_then(|mut decoder| decoder.decompress_to_buffer(source, &mut cursor))
        .map_err(|error| format!("a page does not decompress: {error}"))?;
    Ok(target)
}

#[cfg(not(feature = "zstd"))]
fn zstd(_source: &[u8], _target_bytes: usize) -> Result<Vec<u8>, String> {
    Err("this build reads no zstd (feature `zstd`)".to_owned())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_bomb_gives_no_more_than_its_header_says() {
        let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        writer.write_all(&vec![0; 1 << 20]).expect("compresses");
        let bomb = writer.finish().expect("compresses");
        let codec = Compression::GZIP(parquet::basic::GzipLevel::default());
        assert_eq!(decompress(codec, &bomb, 1 << 20).expect("fits").len(), 1 << 20);
        let error = decompress(codec, &bomb, 1_000).unwrap_err();
        assert_eq!(error, "a page decompresses to 1001 bytes, not 1000");
        assert!(decompress(codec, &bomb, 1 << 28).is_err());
    }

    #[test]
    fn blocks_that_cannot_be_as_long_as_they_claim_take_no_memory() {
        for codec in [Compression::SNAPPY, Compression::LZ4, Compression::LZ4_RAW] {
            assert!(decompress(codec, &[0xff, 0xff, 0xff, 0x7f, 0], 268_435_455).is_err());
        }
        assert!(decompress(Compression::LZO, &[0], 1).unwrap_err().contains("LZO"));
    }

    #[test]
    fn hadoop_blocks_follow_each_other() {
        let mut framed = Vec::new();
        for part in [b"hello hello hello ".as_slice(), b"hello"] {
            let compressed = lz4_flex::block::compress(part);
            for length in [part.len(), compressed.len()] {
                let length = u8::try_from(length).expect("short");
                framed.extend([0, 0, 0, length]);
            }
            framed.extend(compressed);
        }
        let text = decompress(Compression::LZ4, &framed, 23).expect("decompresses");
        assert_eq!(text, b"hello hello hello hello");
        let bare = lz4_flex::block::compress(b"hello hello hello hello");
        assert_eq!(decompress(Compression::LZ4, &bare, 23).expect("decompresses"), text);
    }
}
