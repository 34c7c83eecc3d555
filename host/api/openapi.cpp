#include "api/openapi.hpp"

#include <algorithm>
#include <cctype>
#include <set>
#include <utility>

namespace dbackup::host::openapi {
namespace {

constexpr std::string_view kAbout =
    R"(Everything DBackup does, over HTTP. This document is made from the table by which the server itself finds, checks and answers requests.

**Credentials.** Send `Authorization: Bearer <API key>`, or the session cookie of a sign-in. Every operation names the permission it needs in `x-permission`; without credentials the answer is 401, without the permission 403.

**Bodies.** JSON in UTF-8, parsed whatever the `Content-Type` says. Unknown members and unknown query parameters are ignored. Of a flag in a query string only the exact text `true` counts. Times are ISO 8601 in UTC with milliseconds, sizes bytes, durations milliseconds.

**Errors.** Every answer of 400 and above is `{"success": false, "error": "…"}`. 400 names the field. Requests that cannot be read at all are answered 400, 408, 413, 431 or 505 before any operation is looked for; an unknown path is 404, another method 405 with `Allow`.

**Limits.** Requests count per client address in the bucket named by `x-rate-limit-bucket`; beyond the limit the answer is 429 with `Retry-After`. 503 carries `Retry-After` as well.

**Doing it once.** Where an operation takes `Idempotency-Key`, repeating the request with the same key and body within 24 hours gives the first answer again and does nothing. Another body under the key is 422; while the first request runs, 409. Answers that held a secret are not kept: the repetition is 409 and names what was made.

**Changing what you saw.** Single resources answer an `ETag`. `If-None-Match` spares the transfer (304); `If-Match` on a change refuses (412) when the resource is no longer what you read.

**Asking about a request.** Every answer carries `X-Request-Id`, which the server's log names in every line written for it.)";

std::string lower(std::string_view text) {
  std::string out{text};
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

std::string upper_first(std::string text) {
  if (!text.empty())
    text.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(text.front())));
  return text;
}

bool is_parameter(const std::string& segment) { return segment.starts_with('{'); }

Json component(std::string_view kind, std::string_view name) {
  return {{"$ref", "#/components/" + std::string{kind} + "/" + std::string{name}}};
}

std::string_view bucket_name(RateBucket bucket) {
  switch (bucket) {
    case RateBucket::Auth:
      return "auth";
    case RateBucket::Api:
      return "api";
    case RateBucket::Mutation:
      return "mutation";
    default:
      return "";
  }
}

/// What an error of that status means here, when the standard's phrase says too little.
std::string_view meaning(int status) {
  switch (status) {
    case 400:
      return "The request does not fit: the text names the field and the reason";
    case 401:
      return "No credentials, or none that are valid";
    case 403:
      return "The caller lacks the permission";
    case 404:
      return "No such thing";
    case 409:
      return "The state does not allow it: a name is taken, the thing is in use, or it has changed";
    case 412:
      return "If-Match names another state than the resource has";
    case 415:
      return "The body has another media type than this operation reads";
    case 422:
      return "Well-formed, and cannot be done: a decryption key is missing, or an idempotency key "
             "was used with another body";
    case 429:
      return "Too many requests from this address";
    case 501:
      return "This version lacks what the request asks for; the text names it";
    case 503:
      return "Not now; Retry-After says when";
    case 507:
      return "A disk is full";
    default:
      return reason_phrase(status);
  }
}

Json error_component(int status) {
  Json out{{"description", meaning(status)},
           {"headers", {{"X-Request-Id", component("headers", "X-Request-Id")}}},
           {"content", {{"application/json", {{"schema", component("schemas", "Error")}}}}}};
  if (status == 429 || status == 503)
    out["headers"]["Retry-After"] = component("headers", "Retry-After");
  return out;
}

std::string error_name(int status) { return "Error" + std::to_string(status); }

Json parameters(const RouteRow& row, SchemaShelf& shelf) {
  Json out = Json::array();
  for (const std::string& segment : row.segments) {
    if (!is_parameter(segment)) continue;
    out.push_back({{"name", segment.substr(1, segment.size() - 2)},
                   {"in", "path"},
                   {"required", true},
                   {"schema", {{"type", "string"}}}});
  }
  if (row.query) {
    const Json required = row.query->value("required", Json::array());
    for (const auto& [name, property] : (*row.query)["properties"].items()) {
      Json parameter{{"name", name}, {"in", "query"}, {"schema", shelf.use(property, name)}};
      if (property.contains("description")) {
        parameter["description"] = property["description"];
        parameter["schema"].erase("description");
      }
      if (std::ranges::find(required, Json(name)) != required.end()) parameter["required"] = true;
      out.push_back(std::move(parameter));
    }
  }
  if (row.idempotent) out.push_back(component("parameters", "Idempotency-Key"));
  if (row.etag && row.method == Method::Get)
    out.push_back(component("parameters", "If-None-Match"));
  if (row.etag && row.method != Method::Get) out.push_back(component("parameters", "If-Match"));
  return out;
}

Json answer(const RouteRow& row, int status, const Example* example, SchemaShelf& shelf) {
  Json out{{"description", reason_phrase(status)},
           {"headers", {{"X-Request-Id", component("headers", "X-Request-Id")}}}};
  if (row.etag && row.method == Method::Get) out["headers"]["ETag"] = component("headers", "ETag");
  if (status == 302 || status == 303 || status == 307)
    out["headers"]["Location"] = {{"schema", {{"type", "string"}}}};
  if (status >= 300 || status == 204 || row.produces.empty()) return out;
  if (row.idempotent)
    out["headers"]["Idempotent-Replayed"] = component("headers", "Idempotent-Replayed");
  if (status == 206) out["headers"]["Content-Range"] = {{"schema", {{"type", "string"}}}};
  Json content = Json::object();
  if (row.response) {
    content["schema"] = shelf.use(*row.response, operation_id(row) + "Answer");
  } else if (row.produces.starts_with("text/") || row.produces.ends_with("json")) {
    content["schema"] = {{"type", "string"}};
  }
  if (example != nullptr && example->response != nullptr && status == row.success)
    content["example"] = Json::parse(example->response);
  // A row with a schema whose answer is no JSON answers one or the other.
  if (row.response && !row.produces.ends_with("json")) {
    out["content"]["application/json"] = std::exchange(content, Json::object());
  }
  out["content"][row.produces] = std::move(content);
  return out;
}

Json request_body(const RouteRow& row, const Example* example, SchemaShelf& shelf) {
  const bool is_form = row.consumes != "application/json";
  Json content = Json::object();
  if (row.request) content["schema"] = shelf.use(*row.request, operation_id(row) + "Body");
  if (example != nullptr && example->request != nullptr)
    content["example"] = Json::parse(example->request);
  Json out{{"required", row.body == BodyRule::Required || is_form}};
  out["content"][row.consumes] = std::move(content);
  return out;
}

Json security(const RouteRow& row) {
  Json out = Json::array();
  if (row.access.is_public()) return out;
  if (!row.access.is_session_only()) out.push_back({{"bearer", Json::array()}});
  out.push_back({{"session", Json::array()}});
  return out;
}

std::string description(const RouteRow& row) {
  std::string out =
      row.access.is_public() ? "Needs no credentials." : "Needs " + row.access.describe() + ".";
  if (row.idempotent) out += " Repeat it safely with an `Idempotency-Key`.";
  if (!row.secret_owner.empty()) out += " The answer holds a secret, which is shown this once.";
  if (row.produces == "text/event-stream")
    out += " Server-sent events; continue after the last one received with `Last-Event-ID`.";
  return out;
}

Json operation(const RouteRow& row, SchemaShelf& shelf, std::set<int>& errors) {
  const std::string id = operation_id(row);
  const auto found = std::ranges::find(examples(), id, &Example::operation);
  const Example* example = found == examples().end() ? nullptr : &*found;
  Json out{{"operationId", id},
           {"summary", row.summary},
           {"description", description(row)},
           {"tags", {row.section}},
           {"security", security(row)},
           {"x-permission", row.access.describe()}};
  if (const auto bucket = bucket_name(row.bucket); !bucket.empty())
    out["x-rate-limit-bucket"] = bucket;
  if (Json list = parameters(row, shelf); !list.empty()) out["parameters"] = std::move(list);
  if (takes_body(row)) {
    out["requestBody"] = request_body(row, example, shelf);
    out["x-body-limit"] = row.body_limit;
  }
  for (const int status : answers_of(row)) {
    Json& slot = out["responses"][std::to_string(status)];
    const bool is_own_form = status == row.success;  // an unhealthy server is 503 in the same form
    if (status >= 400 && !is_own_form) {
      errors.insert(status);
      slot = component("responses", error_name(status));
    } else {
      slot = answer(row, status, example, shelf);
    }
  }
  return out;
}

Json header(std::string_view about, std::string_view type = "string") {
  return {{"description", about}, {"schema", {{"type", type}}}};
}

Json parameter(std::string_view name, std::string_view about) {
  return {
      {"name", name}, {"in", "header"}, {"description", about}, {"schema", {{"type", "string"}}}};
}

Json fixed_components() {
  Json out;
  out["securitySchemes"] = {
      {"bearer",
       {{"type", "http"},
        {"scheme", "bearer"},
        {"bearerFormat", "dbackup_…"},
        {"description", "An API key"}}},
      {"session",
       {{"type", "apiKey"},
        {"in", "cookie"},
        {"name", "better-auth.session_token"},
        {"description", "The cookie of a sign-in; over https its name begins with __Secure-"}}}};
  out["headers"] = {{"X-Request-Id", header("Names this request in the server's log")},
                    {"ETag", header("Of the content; for If-Match and If-None-Match")},
                    {"Retry-After", header("Seconds until it is worth another try", "integer")},
                    {"Idempotent-Replayed", header("\"true\": the answer of an earlier request")}};
  out["parameters"] = {
      {"Idempotency-Key", parameter("Idempotency-Key",
                                    "Of your choice, 1 to 255 printable characters: makes it safe "
                                    "to send the request again, for 24 hours")},
      {"If-Match", parameter("If-Match",
                             "The ETag you have seen: refuses (412) to change anything "
                             "else")},
      {"If-None-Match",
       parameter("If-None-Match", "The ETag you hold: spares the transfer (304)")}};
  return out;
}

}  // namespace

std::string operation_id(const RouteRow& row) {
  std::string out = lower(to_string(row.method));
  for (const std::string& segment : row.segments) {
    if (segment == "api" && out.size() == to_string(row.method).size()) continue;
    std::string word;
    bool upper = true;
    for (const char c : segment) {
      if (std::isalnum(static_cast<unsigned char>(c)) == 0) {
        upper = true;
        continue;
      }
      word += upper ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
      upper = false;
    }
    out += (is_parameter(segment) ? "By" : "") + upper_first(word);
  }
  return out;
}

Json document(const RouteTable& routes, const std::string& program_version,
              const std::string& server) {
  SchemaShelf shelf;
  const auto rows = routes.rows();
  for (const RouteRow* row : rows) {
    for (const auto* schema : {&row->request, &row->response}) {
      if (*schema) shelf.count(**schema);
    }
  }
  Json out{{"openapi", "3.1.0"},
           {"info",
            {{"title", "DBackup API"},
             {"version", program_version},
             {"description", kAbout},
             {"license", {{"name", "Apache 2.0"}, {"identifier", "Apache-2.0"}}}}},
           {"servers", {{{"url", server}}}},
           {"paths", Json::object()}};
  const auto by_letter = [](const std::string& a, const std::string& b) {
    return lower(a) < lower(b);
  };
  std::set<std::string, decltype(by_letter)> sections{by_letter};
  std::set<int> errors;
  for (const RouteRow* row : rows) {
    sections.insert(row->section);
    out["paths"][row->path][lower(to_string(row->method))] = operation(*row, shelf, errors);
  }
  for (const std::string& section : sections) out["tags"].push_back({{"name", section}});
  Json& components = out["components"] = fixed_components();
  components["schemas"] = shelf.shelf();
  components["schemas"]["Error"] = schema::error_answer();
  for (const int status : errors)
    components["responses"][error_name(status)] = error_component(status);
  return out;
}

}  // namespace dbackup::host::openapi
