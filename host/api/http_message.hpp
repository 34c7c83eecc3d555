#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dbackup::host {

enum class Method { Get, Head, Post, Put, Patch, Delete, Options, Other };

/// The method with this exact (case-sensitive) name; Other for every other token.
Method method_from(std::string_view text) noexcept;
/// "GET", "POST", …; "" for Other, whose name is in HttpRequest::method_text.
std::string_view to_string(Method method) noexcept;

/// True when the two differ in nothing but the case of ASCII letters.
bool equal_ignoring_case(std::string_view left, std::string_view right) noexcept;

/// Header fields in the order of arrival; names compare without regard to case. A name may repeat.
class HttpHeaders {
 public:
  using Field = std::pair<std::string, std::string>;

  void add(std::string name, std::string value) {
    fields_.emplace_back(std::move(name), std::move(value));
  }
  /// Replaces every field of that name by one.
  void set(std::string name, std::string value);
  void remove(std::string_view name);
  /// Value of the first field of that name; nullptr when there is none. Valid until the next
  /// change.
  const std::string* find(std::string_view name) const noexcept;
  /// The same as text; "" when there is none.
  std::string_view get(std::string_view name) const noexcept;
  std::vector<std::string_view> find_all(std::string_view name) const;
  size_t count(std::string_view name) const noexcept;
  bool contains(std::string_view name) const noexcept { return find(name) != nullptr; }
  const std::vector<Field>& fields() const noexcept { return fields_; }

 private:
  std::vector<Field> fields_;
};

/// Pairs of a query string or form, percent-decoded, '+' as a space, in the order of arrival.
using HttpQuery = std::vector<std::pair<std::string, std::string>>;

/// One request as a handler sees it.
struct HttpRequest {
  Method method = Method::Other;
  std::string method_text;  ///< As sent; for Method::Other and the log.
  std::string target;       ///< Request target as sent, with the query.
  std::string
      path;  ///< Path part of the target as sent, still percent-encoded; begins with '/' or is "*".
  /// `path` split at '/' and only then percent-decoded: an encoded slash stays inside its segment.
  /// UTF-8 without NUL. "/" has none, "/a/" is {"a", ""}. May hold "..": a segment is a name, never
  /// a file path.
  std::vector<std::string> segments;
  HttpQuery query;
  HttpHeaders headers;  ///< Without trailers: those are read and dropped.
  std::string body;     ///< Whole; within the route's limit.
  std::string
      client_address;  ///< Address of the socket's peer, without port; plain IPv4 for v4-mapped.
  std::string id;      ///< Unique in the life of the process and unlikely to repeat in another.
  /// Whatever route() wants handle() to know, for example the matched row.
  std::shared_ptr<const void> route_context;

  /// First value of `key`, the form in which a parameter is read everywhere; nullptr when absent.
  const std::string* query_value(std::string_view key) const noexcept;
};

/// The target for the log, at most 512 bytes: values of parameters that open something (tokens, codes)
/// are left out.
std::string loggable_target(const HttpRequest& request);

/// Splits and decodes a query string or form body. nullopt on a malformed escape, NUL, text that is
/// not UTF-8, or more than 256 pairs.
std::optional<HttpQuery> parse_query(std::string_view text);

/// Fills path, segments and query from `target` (origin form, absolute form, or "*" with OPTIONS).
/// Returns the reason for a 400, or "" when all is well.
std::string_view split_target(HttpRequest& request);

}  // namespace dbackup::host
