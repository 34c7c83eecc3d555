#pragma once

#include <functional>
#include <string>

namespace dbackup::host {

class Session;

/// While it lives, every Database::write() of this thread runs `check` inside its transaction before
/// anything else, until one has committed: what the check saw cannot change any more before the change is made. On
/// SQLite no other writer exists until the transaction ends; elsewhere the check locks what it
/// looks at. The check may read by Database::read(), which sees what was committed before, and must
/// not write. What it throws leaves through write(). [one thread]
class BeforeWrite {
 public:
  explicit BeforeWrite(std::function<void(Session&)> check);
  ~BeforeWrite();
  BeforeWrite(const BeforeWrite&) = delete;
  BeforeWrite& operator=(const BeforeWrite&) = delete;

  /// Called by Database alone.
  static void run(Session& session);
  static void committed() noexcept;

 private:
  std::function<void(Session&)> check_;
  BeforeWrite* outer_;
};

/// Held until the transaction of `session` ends: the same `name` in any other transaction on this
/// database waits. SQLite has a single writer anyway.
void lock_name_in_transaction(Session& session, const std::string& name);

}  // namespace dbackup::host
