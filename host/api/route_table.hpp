#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/access.hpp"
#include "api/http_handler.hpp"
#include "api/http_message.hpp"
#include "api/http_response.hpp"
#include "api/schema.hpp"

namespace dbackup::host {

/// One request as a handler sees it: matched, authenticated, permitted, its body read and checked.
struct ApiRequest {
  const HttpRequest& http;
  const std::vector<std::string>& params;  ///< of the path template, in order
  Json body = Json::object();              ///< an object, empty when none was sent

  const std::string& param(size_t index = 0) const { return params.at(index); }
  /// Only the exact text "true" counts.
  bool flag(std::string_view key) const {
    const std::string* value = http.query_value(key);
    return value != nullptr && *value == "true";
  }
  std::string query(std::string_view key) const {
    const std::string* value = http.query_value(key);
    return value != nullptr ? *value : std::string{};
  }
  /// A parameter that the row's query schema declares an integer, and so has checked already.
  int64_t query_integer(std::string_view key, int64_t fallback) const {
    const std::string* value = http.query_value(key);
    return value != nullptr && !value->empty() ? std::stoll(*value) : fallback;
  }
};

enum class RateBucket { ByMethod, Auth, Api, Mutation, None };
/// The bucket in which a request counts, known or unknown path alike. `segments` are decoded, so
/// that no spelling of a path counts elsewhere.
RateBucket rate_bucket(Method method, const std::vector<std::string>& segments) noexcept;

enum class BodyRule {
  None,      ///< whatever is sent is ignored
  Required,  ///< a JSON object, whatever the content type says
  Optional,  ///< the same, or nothing
  IfJson,    ///< looked at only when the content type contains application/json
};

/// What answers a route, beside what its access asks.
template <class Resource>
struct Route {
  Method method;
  std::string_view path;  ///< "/api/jobs/{id}/run"
  Access access;
  HttpResponse (Resource::*handler)(const ApiRequest&, const Principal&);
  std::string_view summary = "";
  std::string_view section = "";  ///< heading in the API reference: "Jobs"
  HttpRun run = HttpRun::Quick;
  schema::Function query = nullptr;  ///< object of the query string's parameters
  BodyRule body = BodyRule::None;
  schema::Function request = nullptr;
  schema::Function response = nullptr;  ///< nullptr: no JSON
  int success = 200;
  std::span<const int> failures = {};  ///< beside what answers_of() derives from the row
  bool idempotent = false;             ///< honours Idempotency-Key
  std::string_view secret_owner =
      "";  ///< JSON pointer to the id of what was made, when the answer holds a secret
  bool connection_test = false;  ///< errors carry "message" as well
  /// Of the sign-in family: errors carry "code" and "message" as well, and with any cookie a change
  /// needs a matching Origin.
  bool sign_in = false;
  bool field_errors = false;     ///< a 400 carries "errors", by member of the request
  bool etag = false;  ///< one resource: GET answers an ETag, PUT and DELETE honour If-Match
  /// Media type of the answer; "": no body. With `response` and another type than JSON the answer
  /// is one or the other.
  std::string_view produces = "application/json";
  std::string_view consumes = "application/json";  ///< media type of the body, when it has one
  RateBucket bucket = RateBucket::ByMethod;
  uint64_t body_limit = uint64_t{1} << 20;
  /// What becomes of an answer that is no error, be it new or repeated for an idempotency key: it may
  /// wait for what the handler began, and changes nothing.
  HttpResponse (Resource::*finish)(const ApiRequest&, HttpResponse) = nullptr;
};

/// The same for the dispatcher and for whatever walks the table.
struct RouteRow {
  Method method;
  std::string path;
  std::vector<std::string> segments;  ///< of the path; "{…}" is a parameter
  Access access;
  std::function<HttpResponse(const ApiRequest&, const Principal&)> handler;
  std::string summary, section;
  HttpRun run;
  BodyRule body;
  std::optional<Json> query, request, response;
  int success;
  std::vector<int> failures;
  bool idempotent;
  std::string secret_owner;
  bool connection_test;
  bool sign_in;
  bool field_errors;
  bool etag;
  std::string produces, consumes;
  RateBucket bucket;
  uint64_t body_limit;
  std::function<HttpResponse(const ApiRequest&, HttpResponse)> finish = {};
};

/// Whether a body sent to it is looked at.
bool takes_body(const RouteRow& row);
/// Every status the row can answer: its own, and those that follow from what it is. The OpenAPI
/// document lists them, and the tests hold the server to them.
std::vector<int> answers_of(const RouteRow& row);

/// A request that found its row.
struct RouteMatch {
  const RouteRow* row = nullptr;
  std::vector<std::string> params;
};

/// All routes. Filled before the server starts; then read by many threads.
class RouteTable {
 public:
  /// `resource` must outlive the table. Throws std::logic_error when method and path are taken.
  template <class Resource>
  void mount(Resource& resource, std::span<const Route<Resource>> routes) {
    for (const auto& route : routes) {
      const auto handler = route.handler;
      RouteRow row{.method = route.method,
                   .path = std::string{route.path},
                   .segments = {},
                   .access = route.access,
                   .handler =
                       [&resource, handler](const ApiRequest& request, const Principal& who) {
                         return (resource.*handler)(request, who);
                       },
                   .summary = std::string{route.summary},
                   .section = std::string{route.section},
                   .run = route.run,
                   .body = route.body,
                   .query = {},
                   .request = {},
                   .response = {},
                   .success = route.success,
                   .failures = {route.failures.begin(), route.failures.end()},
                   .idempotent = route.idempotent,
                   .secret_owner = std::string{route.secret_owner},
                   .connection_test = route.connection_test,
                   .sign_in = route.sign_in,
                   .field_errors = route.field_errors,
                   .etag = route.etag,
                   .produces = std::string{route.produces},
                   .consumes = std::string{route.consumes},
                   .bucket = route.bucket,
                   .body_limit = route.body_limit};
      if (const auto finish = route.finish; finish != nullptr) {
        row.finish = [&resource, finish](const ApiRequest& request, HttpResponse response) {
          return (resource.*finish)(request, std::move(response));
        };
      }
      if (route.query != nullptr) row.query = route.query();
      if (route.request != nullptr) row.request = route.request();
      if (route.response != nullptr) row.response = route.response();
      add(std::move(row));
    }
  }

  void add(RouteRow row);
  std::vector<const RouteRow*> rows() const;

  struct Found {
    std::shared_ptr<const RouteMatch> match;  ///< nullptr: no row for that method
    std::string allow;                        ///< methods of the path; "" when the path is unknown
  };
  /// HEAD is looked up as GET. A literal segment wins over a parameter.
  Found find(Method method, const std::vector<std::string>& segments) const;

 private:
  std::vector<std::vector<std::unique_ptr<RouteRow>>> by_length_;
};

}  // namespace dbackup::host
