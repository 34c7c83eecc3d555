#include "store/before_write.hpp"

#include <soci/soci.h>

#include <utility>

#include "store/database.hpp"

namespace dbackup::host {
namespace {
thread_local BeforeWrite* innermost = nullptr;
}

BeforeWrite::BeforeWrite(std::function<void(Session&)> check)
    : check_{std::move(check)}, outer_{std::exchange(innermost, this)} {}

BeforeWrite::~BeforeWrite() { innermost = outer_; }

void BeforeWrite::run(Session& session) {
  for (const BeforeWrite* each = innermost; each != nullptr; each = each->outer_) {
    if (each->check_) each->check_(session);
  }
}

void BeforeWrite::committed() noexcept {
  for (BeforeWrite* each = innermost; each != nullptr; each = each->outer_) each->check_ = nullptr;
}

void lock_name_in_transaction(Session& session, const std::string& name) {
  if (session.is_sqlite()) return;
  // Two names that share a hash wait for each other, which is slow and never wrong.
  session.raw() << "SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))", soci::use(name);
}

}  // namespace dbackup::host
