#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "api/http_message.hpp"
#include "api/http_response.hpp"
#include "store/database.hpp"

namespace dbackup::host {

/// The strong entity tag of an answer: a hash of its bytes; of one with a lasting part, a hash of
/// that part in front, which is all that If-Match looks at.
std::string entity_tag(const HttpResponse& response);

/// `response` to a GET, with its ETag; 304 without a body when the client holds it already.
HttpResponse with_entity_tag(HttpResponse response, const HttpRequest& request);

/// Changes of single resources, one at a time for each path, and only when If-Match holds.
///
/// What is promised to a writer that sends If-Match: between the comparison and the change nothing
/// else changes the resource. Writers of this process to the same path wait for each other; the
/// comparison is repeated inside the transaction of the change, where SQLite has no other writer of
/// any kind, and where PostgreSQL makes such writers of all hosts wait for each other. There, a
/// change by another way (a run that ends, a bulk call) may come between. [any-thread]
class ConditionalChanges {
 public:
  using Answer = std::function<HttpResponse()>;

  explicit ConditionalChanges(Database& database) : database_{database} {}

  /// Runs `change`. `current` is the GET of the same path, for the caller of the change. Throws
  /// Error{FailedPrecondition, "if_match"} when the resource has another tag than the request
  /// names.
  HttpResponse run(const HttpRequest& request, const Answer& current, const Answer& change);

 private:
  struct Turn {
    std::mutex mutex;
    int waiting = 0;
  };
  class Hold;

  void check(const std::string& if_match, const Answer& current);

  Database& database_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Turn>> turns_;  ///< of paths that somebody changes now
  /// A check inside a transaction needs a second connection. One at a time, so that a pool full of
  /// such transactions cannot wait for itself.
  std::mutex checks_;
};

}  // namespace dbackup::host
