#include "api/entity_tag.hpp"

#include "api/byte_range.hpp"
#include "base/error.hpp"
#include "crypto/hash.hpp"
#include "store/before_write.hpp"

namespace dbackup::host {
namespace {

/// What of a tag stands for the state that a change replaces: all of it, or what is before the '-'.
std::string_view state_of(std::string_view tag) { return tag.substr(0, tag.find('-')); }

/// Strong comparison (RFC 9110, 13.1.1): a weak tag matches nothing.
bool holds(std::string_view if_match, std::string_view tag) {
  while (!if_match.empty()) {
    const size_t start = if_match.find_first_not_of(", \t");
    if (start == std::string_view::npos) return false;
    if_match.remove_prefix(start);
    if (if_match.front() == '*') return true;
    // A tag may hold a comma, but not a quote.
    const bool is_weak = if_match.starts_with("W/");
    if (is_weak) if_match.remove_prefix(2);
    if (!if_match.starts_with('"')) return false;
    const size_t end = if_match.find('"', 1);
    if (end == std::string_view::npos) return false;
    const std::string_view given = if_match.substr(0, end + 1);
    if (!is_weak && (given == tag || (tag.find('-') != std::string_view::npos &&
                                      state_of(given) == state_of(tag)))) {
      return true;
    }
    if_match.remove_prefix(end + 1);
  }
  return false;
}

std::string name_of(const std::vector<std::string>& segments) {
  std::string out;
  for (const std::string& segment : segments) out += "/" + segment;
  return out;
}

}  // namespace

std::string entity_tag(const HttpResponse& response) {
  const auto* body = std::get_if<std::string>(&response.body);
  if (body == nullptr) return "";
  const std::string whole = sha256_hex(*body).substr(0, 32);
  if (response.lasting.empty()) return "\"" + whole + "\"";
  return "\"" + sha256_hex(response.lasting).substr(0, 32) + "-" + whole + "\"";
}

HttpResponse with_entity_tag(HttpResponse response, const HttpRequest& request) {
  if (response.status != 200) return response;
  const std::string tag = entity_tag(response);
  if (tag.empty()) return response;
  if (const std::string* known = request.headers.find("If-None-Match");
      known != nullptr && matches_etag(*known, tag)) {
    response.status = 304;
    response.body = std::string{};
    response.headers.remove("Content-Type");
  }
  response.headers.set("ETag", tag);
  if (!response.headers.contains("Cache-Control")) {
    response.headers.set("Cache-Control", "private, no-cache");
  }
  return response;
}

class ConditionalChanges::Hold {
 public:
  Hold(ConditionalChanges& owner, std::string path) : owner_{owner}, path_{std::move(path)} {
    {
      const std::lock_guard lock{owner_.mutex_};
      auto& turn = owner_.turns_[path_];
      if (!turn) turn = std::make_shared<Turn>();
      ++turn->waiting;
      turn_ = turn;
    }
    turn_->mutex.lock();
  }
  ~Hold() {
    turn_->mutex.unlock();
    const std::lock_guard lock{owner_.mutex_};
    if (--turn_->waiting == 0) owner_.turns_.erase(path_);
  }
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;

 private:
  ConditionalChanges& owner_;
  std::string path_;
  std::shared_ptr<Turn> turn_;
};

void ConditionalChanges::check(const std::string& if_match, const Answer& current) {
  if (holds(if_match, entity_tag(current()))) return;
  throw Error(ErrorCode::FailedPrecondition,
              "\"If-Match\": the resource has changed since; read it again", {}, "if_match");
}

HttpResponse ConditionalChanges::run(const HttpRequest& request, const Answer& current,
                                     const Answer& change) {
  const std::string name = name_of(request.segments);
  const Hold hold{*this, name};
  const std::string* if_match = request.headers.find("If-Match");
  if (if_match == nullptr) return change();
  // Before the change begins, for changes that write no metadata.
  check(*if_match, current);
  std::unique_lock<std::mutex> turn;
  if (!database_.is_sqlite()) turn = std::unique_lock{checks_};
  const BeforeWrite again{[&](Session& session) {
    lock_name_in_transaction(session, "If-Match " + name);
    check(*if_match, current);
  }};
  return change();
}

}  // namespace dbackup::host
