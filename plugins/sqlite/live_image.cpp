// Why the image is consistent, by SQLite's own locking rules:
//
// Rollback-journal modes: an open read transaction holds a SHARED lock; the file is written only
// under EXCLUSIVE, so it stands still until the transaction ends.
//
// WAL mode: an open read transaction holds one of two kinds of lock on the index.
//   Lock 0 (everything was in the file already): no checkpoint may write to the file. Frames that
//   come
//     later can therefore not be copied into it, and a log that is not copied completely is not
//     restarted.
//   Lock 1 to 4: the log is not restarted, and only frames up to our mark are copied into the file.
// The state of the log is read after that lock is held. Either the file holds everything up to that
// state, then nothing newer gets into it; or frames 1…last stay where they are, and a page that is
// in none of them does not change in the file. So "file, overlaid with frames 1…last" is the
// database at that state. Every frame is checked once before the first byte leaves, and again when
// it is used.

#include "live_image.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>

#include "database.hpp"
#include "wal_index.hpp"

namespace dbackup::sqlite {
namespace {

constexpr size_t kBlock = 256 * 1024;
constexpr uint32_t kWindowPages = 1U << 20;  // 4 MiB of frame numbers, however large the database
constexpr int kAttempts = 5;

/// Reads like SQLite's pager: what lies beyond the end of the file is zero.
void read_file(sqlite3_file* file, std::span<std::byte> out, int64_t offset) {
  const int code = file->pMethods->xRead(file, out.data(), static_cast<int>(out.size()), offset);
  if (code != SQLITE_OK && code != SQLITE_IOERR_SHORT_READ) {
    throw Error{ErrorCode::DataLoss, "cannot read the database file"};
  }
}

struct Snapshot {
  uint32_t page_size = 0;
  uint32_t pages = 0;
  std::optional<WalFrames> frames;  ///< when the file alone is not the whole truth
};

uint32_t pages_in_file(sqlite3_file* file, uint32_t page_size) {
  sqlite3_int64 size = 0;
  if (file->pMethods->xFileSize(file, &size) != SQLITE_OK) {
    throw Error{ErrorCode::DataLoss, "cannot read the size of the database file"};
  }
  return static_cast<uint32_t>((size + page_size - 1) / page_size);
}

/// Begins a read transaction on `database` and describes what it sees.
Snapshot pin(const Call& call, Database& database) {
  database.run("BEGIN");
  database.run("SELECT count(*) FROM sqlite_schema");  // the lock is taken by the first read
  Snapshot out;
  out.page_size = static_cast<uint32_t>(database.integer("PRAGMA page_size"));
  if (database.text("PRAGMA journal_mode") != "wal") {
    out.pages = static_cast<uint32_t>(database.integer("PRAGMA page_count"));
    return out;
  }
  const WalState state = read_wal_state(database);
  if (state.last_frame > 0) out.page_size = state.page_size;
  out.pages = state.pages > 0 ? state.pages : pages_in_file(database.file(), out.page_size);
  if (!state.in_file()) {
    out.frames.emplace(database.log(), state);
    out.frames->verify_all(call);
  }
  return out;
}

/// An empty file is a database too, but nothing can tell an empty stream from a lost one: a
/// database without tables is written in its place.
void write_empty(const Call& call, Writer& out) {
  Database memory{call, ":memory:", Database::Access::ReadWrite};
  memory.run("CREATE TABLE t (i)");
  memory.run("DROP TABLE t");
  memory.run("VACUUM");
  out.write(memory.serialized());
}

void stream(const Call& call, Database& database, const Snapshot& snapshot, Writer& out) {
  sqlite3_file* file = database.file();
  const uint64_t size = snapshot.page_size;
  const uint64_t total = size * snapshot.pages;
  const auto per_block = static_cast<uint32_t>(std::max<uint64_t>(1, kBlock / size));
  std::vector<std::byte> block(per_block * size);
  std::vector<uint32_t> window;
  for (uint64_t from = 1; from <= snapshot.pages; from += kWindowPages) {
    const auto in_window =
        static_cast<uint32_t>(std::min<uint64_t>(kWindowPages, snapshot.pages - from + 1));
    if (snapshot.frames) {
      window.resize(in_window);
      snapshot.frames->newest(static_cast<uint32_t>(from), window, call);
    }
    for (uint32_t at = 0; at < in_window; at += per_block) {
      call.check_cancelled();
      const uint32_t count = std::min(per_block, in_window - at);
      const auto part = std::span{block}.first(count * size);
      const uint64_t first_page = from + at;
      read_file(file, part, static_cast<int64_t>((first_page - 1) * size));
      for (uint32_t i = 0; snapshot.frames && i < count; ++i) {
        const uint32_t frame = window[at + i];
        if (frame == 0) continue;
        snapshot.frames->read_page(frame, static_cast<uint32_t>(first_page + i),
                                   part.subspan(i * size, size));
      }
      out.write(part);
      call.progress((first_page - 1 + count) * size, total);
    }
  }
}

}  // namespace

void stream_image(const Call& call, const std::string& path, Writer& out) {
  for (int attempt = 1;; ++attempt) {
    Database database{call, path, Database::Access::ReadWrite};
    std::optional<Snapshot> snapshot;
    try {
      snapshot = pin(call, database);
    } catch (const Error& error) {
      // Nothing was written yet, so another try is harmless. It is not needed as long as SQLite
      // keeps to its own rules; a log that never fits is damaged.
      if (error.code() != ErrorCode::Aborted || attempt < kAttempts) {
        if (error.code() != ErrorCode::Aborted) throw;
        continue;
      }
      throw Error{ErrorCode::DataLoss, "the write-ahead log of \"" + path + "\" is damaged",
                  error.what()};
    }
    if (snapshot->pages == 0) {
      write_empty(call, out);
    } else {
      stream(call, database, *snapshot, out);
    }
    database.run("COMMIT");
    return;
  }
}

}  // namespace dbackup::sqlite
