#include "api/dispatcher.hpp"

#include <algorithm>
#include <stdexcept>

#include "api/http_error.hpp"
#include "base/logging.hpp"

namespace dbackup::host {
namespace {

constexpr std::pair<std::string_view, std::string_view> kSecurityHeaders[] = {
    {"X-Frame-Options", "DENY"},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "strict-origin-when-cross-origin"},
    {"Content-Security-Policy",
     "default-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'; object-src "
     "'none'"},
    {"Permissions-Policy", "camera=(), microphone=(), geolocation=(), browsing-topics=()"},
};

bool contains_ignoring_case(std::string_view text, std::string_view part) {
  return std::ranges::search(text, part, [](char a, char b) {
           return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b;
         }).begin() != text.end();
}

/// No column, path or argument may hold one, so no body does, described by its schema or not.
void refuse_nul(const Json& value, const std::string& where) {
  const auto has_nul = [](const std::string& text) { return text.find('\0') != std::string::npos; };
  if (value.is_string() && has_nul(value.get_ref<const std::string&>())) {
    throw Error(
        ErrorCode::InvalidArgument,
        (where.empty() ? "the request body" : "\"" + where + "\"") + " must not contain NUL");
  }
  if (value.is_object()) {
    for (const auto& [name, member] : value.items()) {
      if (has_nul(name))
        throw Error(ErrorCode::InvalidArgument, "the name of a member must not contain NUL");
      refuse_nul(member, where.empty() ? name : where + "." + name);
    }
  } else if (value.is_array()) {
    for (size_t i = 0; i < value.size(); ++i)
      refuse_nul(value[i], where + "[" + std::to_string(i) + "]");
  }
}

bool starts_ignoring_case(std::string_view text, std::string_view start) {
  return equal_ignoring_case(text.substr(0, start.size()), start);
}

Json read_body(const RouteRow& row, const HttpRequest& request) {
  if (row.consumes != "application/json" &&
      !starts_ignoring_case(request.headers.get("Content-Type"), row.consumes)) {
    throw Error(ErrorCode::InvalidArgument,
                "\"Content-Type\" must be " + row.consumes + " for this path", {}, "media_type");
  }
  if (row.body == BodyRule::None) return Json::object();
  if (row.body == BodyRule::IfJson &&
      !contains_ignoring_case(request.headers.get("Content-Type"), "application/json")) {
    return Json::object();
  }
  const bool is_blank = request.body.find_first_not_of(" \t\r\n") == std::string::npos;
  if (is_blank && row.body != BodyRule::Required) return Json::object();
  if (is_blank)
    throw Error(ErrorCode::InvalidArgument,
                "the request body is missing: a JSON object is expected");
  Json body = parse_json(request.body, "the request body");
  refuse_nul(body, "");
  if (!body.is_object())
    throw Error(ErrorCode::InvalidArgument, "the request body must be a JSON object");
  if (row.request) schema::check(*row.request, body);
  return body;
}

/// Of all spellings of a path the same one.
std::string decoded_path(const HttpRequest& request) {
  std::string out = " ";
  for (const std::string& segment : request.segments) out += "/" + segment;
  return out;
}

std::string log_name(const HttpRequest& request) {
  return request.method_text + " " + loggable_target(request);
}

}  // namespace

Dispatcher::Dispatcher(const RouteTable& routes, std::vector<Authenticator*> authenticators,
                       Idempotency& idempotency, ConditionalChanges& changes,
                       DispatcherOptions options)
    : routes_{routes},
      authenticators_{std::move(authenticators)},
      idempotency_{idempotency},
      changes_{changes},
      options_{options} {}

RouteInfo Dispatcher::route(HttpRequest& head) {
  const LogContext context{head.id};
  if (options_.gate != nullptr) {
    if (auto refusal = options_.gate->admit(head)) {
      return {.run = HttpRun::Inline, .answer = std::move(refusal)};
    }
  }
  RouteTable::Found found = routes_.find(head.method, head.segments);
  if (found.match) {
    const RouteRow& row = *found.match->row;
    head.route_context = std::move(found.match);
    return {.run = row.run, .body_limit = row.body_limit};
  }
  // "OPTIONS *" asks about the server as a whole.
  if (head.method == Method::Options && head.path == "*")
    found.allow = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
  if (found.allow.empty()) {
    return {.run = HttpRun::Inline, .answer = HttpResponse::error(404, "no such path")};
  }
  HttpResponse answer = head.method == Method::Options
                            ? HttpResponse{.status = 204}
                            : HttpResponse::error(405, "method not allowed for this path");
  answer.headers.set("Allow", found.allow);
  return {.run = HttpRun::Inline, .answer = std::move(answer)};
}

/// Whose credentials the request carries; nullopt: it carries none that count here.
std::optional<Principal> Dispatcher::known(const HttpRequest& request, const Access& access) const {
  for (Authenticator* authenticator : authenticators_) {
    auto who = authenticator->authenticate(request);
    if (who && (!who->is_groupless || access.admits_groupless())) return who;
  }
  return std::nullopt;
}

Principal Dispatcher::admitted(const RouteRow& row, const HttpRequest& request) const {
  Principal who;
  const bool is_change = row.method != Method::Get;
  if (row.access.kind() == Access::Kind::Optional) {
    try {
      who = known(request, row.access).value_or(Principal{});
    } catch (const Error& error) {
      // Credentials that are no longer valid are as good as none where none are needed.
      if (error.code() != ErrorCode::Unauthenticated) throw;
    }
  } else if (!row.access.is_public()) {
    auto found = known(request, row.access);
    if (!found) throw Error(ErrorCode::Unauthenticated, "Unauthorized");
    who = std::move(*found);
  }
  const bool by_cookie =
      who.kind == PrincipalKind::Session || (row.sign_in && request.headers.contains("Cookie"));
  if (is_change && by_cookie && options_.origins != nullptr) options_.origins->require(request);
  if (!row.access.admits(who)) {
    throw Error(ErrorCode::PermissionDenied, "Forbidden: this needs " + row.access.describe());
  }
  who.client_address = request.client_address;
  who.user_agent = request.headers.get("User-Agent");
  return who;
}

HttpResponse Dispatcher::call(const RouteMatch& match, HttpRequest& request) const {
  const RouteRow& row = *match.row;
  const Principal who = admitted(row, request);
  if (row.idempotent) idempotency_.sweep();
  if (row.query) schema::check_query(*row.query, request.query);
  const ApiRequest api{.http = request, .params = match.params, .body = read_body(row, request)};
  const std::string* key = row.idempotent ? request.headers.find("Idempotency-Key") : nullptr;
  const auto finished = [&](HttpResponse response) {
    return row.finish && response.status < 400 ? row.finish(api, std::move(response))
                                               : std::move(response);
  };
  if (key == nullptr) return finished(answer(row, api, who));
  const IdempotentRequest idempotent{
      .principal = who.id,
      .route = std::string{to_string(row.method)} + decoded_path(request),
      .key = *key,
      .body = request.body,
      .secret_owner = row.secret_owner};
  return finished(idempotency_.answer(idempotent, [&] { return row.handler(api, who); }));
}

bool Dispatcher::may(const HttpRequest& request, const Access& access) const noexcept {
  try {
    if (access.is_public()) return true;
    const auto who = known(request, access);
    return who && access.admits(*who);
  } catch (const Error& error) {
    // Whoever has credentials that cannot be looked at now keeps what it has until they can.
    return error.code() != ErrorCode::Unauthenticated;
  } catch (...) {
    return true;
  }
}

/// The resource of the request's path as its GET shows it to `who`.
HttpResponse Dispatcher::current(const HttpRequest& request, const Principal& who) const {
  const RouteTable::Found found = routes_.find(Method::Get, request.segments);
  if (!found.match || !found.match->row->etag) {
    throw std::logic_error{request.path + " has a row with an entity tag, and no GET with one"};
  }
  const RouteRow& row = *found.match->row;
  if (!row.access.admits(who)) {
    throw Error(ErrorCode::PermissionDenied,
                "Forbidden: \"If-Match\" needs " + row.access.describe());
  }
  return row.handler(ApiRequest{.http = request, .params = found.match->params}, who);
}

HttpResponse Dispatcher::answer(const RouteRow& row, const ApiRequest& request,
                                const Principal& who) const {
  const auto run = [&] { return row.handler(request, who); };
  if (!row.etag) return run();
  if (row.method == Method::Get) return with_entity_tag(run(), request.http);
  return changes_.run(
      request.http, [&] { return current(request.http, who); }, run);
}

HttpResponse Dispatcher::handle(HttpRequest& request) {
  const LogContext context{request.id};
  const auto* match = static_cast<const RouteMatch*>(request.route_context.get());
  if (match == nullptr) return HttpResponse::error(404, "no such path");
  try {
    HttpResponse response = call(*match, request);
    if (options_.log_requests)
      log_debug(log_name(request) + ": " + std::to_string(response.status));
    return response;
  } catch (...) {
    Failure failure = failure_from(
        std::current_exception(),
        {.with_message = match->row->connection_test,
         .with_code = match->row->sign_in,
         .with_fields = match->row->field_errors});
    if (!failure.log_text.empty()) {
      log(failure.response.status >= 500 ? LogLevel::Error : LogLevel::Info,
          log_name(request) + ": " + failure.log_text);
    }
    return std::move(failure.response);
  }
}

void Dispatcher::decorate(const HttpRequest* request, HttpResponse& response) {
  const bool has_own = std::ranges::any_of(
      kSecurityHeaders, [&](const auto& field) { return response.headers.contains(field.first); });
  if (!has_own) response.fixed_headers = kSecurityHeaders;
  for (const auto& [name, value] : kSecurityHeaders) {
    if (has_own && !response.headers.contains(name))
      response.headers.add(std::string{name}, std::string{value});
  }
  if (request == nullptr) return;
  response.headers.set("X-Request-Id", request->id);
  if (options_.is_https || request->headers.get("X-Forwarded-Proto") == "https") {
    response.headers.set("Strict-Transport-Security", "max-age=31536000; includeSubDomains");
  }
}

void Dispatcher::failed(const HttpRequest* request, std::exception_ptr error) noexcept {
  try {
    const LogContext context{request != nullptr ? request->id : ""};
    const Failure failure = failure_from(error);
    log_error((request != nullptr ? log_name(*request) : "a request without a head") + ": " +
              failure.log_text);
  } catch (...) {
    log_error("a request failed, and so did writing why");
  }
}

}  // namespace dbackup::host
