#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <utility>

#include "base/error.hpp"

namespace dbackup::host {

/// Why a stream ended early. Shared between threads; never null where a function takes or returns
/// one as "the cause", null where it means "no failure so far".
using Cause = std::shared_ptr<const Error>;

/// When memory has run out, the cause says that instead.
Cause make_cause(const Error& error) noexcept;
/// The exception being handled, as a cause: an Error as it is, bad_alloc as ResourceExhausted,
/// anything else as Internal. To be called in a catch block.
Cause current_cause() noexcept;
/// Throws a copy of the error, so that several threads may report the same cause.
[[noreturn]] void throw_cause(const Cause& cause);

using Bytes = std::span<const std::byte>;

/// The receiving end of a byte stream, and the shape of every stage. Exactly one of finish() and
/// abort() ends it; a sink destroyed before either behaves as if aborted, so an end of file can
/// never be passed on by accident.
class ByteSink {
 public:
  ByteSink() = default;
  ByteSink(const ByteSink&) = delete;
  ByteSink& operator=(const ByteSink&) = delete;
  virtual ~ByteSink() = default;

  /// Takes all of `bytes` (not kept after the return); blocks while what follows is full. Throws
  /// Error, after which only abort() makes sense. [one thread at a time]
  virtual void write(Bytes bytes) = 0;

  /// The stream is complete and good: flushes, checks, and tells what follows. This is the
  /// permission to commit. Throws Error when the stream is not good after all. [the writing thread]
  virtual void finish() = 0;

  /// The stream is not good: whatever was passed on must not be used. Reaches all ends at once,
  /// also while another thread is blocked in write(). Later calls are ignored. [any thread]
  virtual void abort(const Cause& cause) noexcept = 0;
};

using SinkPtr = std::unique_ptr<ByteSink>;

/// A sink that hands its result to the next one, which it owns.
class Stage : public ByteSink {
 public:
  explicit Stage(SinkPtr next) : next_{std::move(next)} {}
  void abort(const Cause& cause) noexcept override { next_->abort(cause); }

 protected:
  ByteSink& next() noexcept { return *next_; }

 private:
  SinkPtr next_;
};

/// Swallows everything: the end of a chain that is run for its checks alone.
class NullSink final : public ByteSink {
 public:
  void write(Bytes) override {}
  void finish() override {}
  void abort(const Cause&) noexcept override {}
};

/// Passes everything on to a sink that somebody else owns and keeps alive.
class BorrowedSink final : public ByteSink {
 public:
  explicit BorrowedSink(ByteSink& target) : target_{target} {}
  void write(Bytes bytes) override { target_.write(bytes); }
  void finish() override { target_.finish(); }
  void abort(const Cause& cause) noexcept override { target_.abort(cause); }

 private:
  ByteSink& target_;
};

}  // namespace dbackup::host
