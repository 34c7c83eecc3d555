#include "tests/unit/api/request_generator.hpp"

#include <algorithm>

#include "base/encoding.hpp"
#include "model/permission.hpp"

namespace dbackup::host::testing {
namespace {

constexpr size_t kMostKnown = 30;

const std::string kOddTexts[] = {
    "",
    "x",
    " ",
    "..",
    "../../etc/passwd",
    "/",
    "a/b",
    "%2e%2e",
    "'; DROP TABLE jobs; --",
    "\"quoted\"",
    "\xF0\x9F\x92\xBE \xC3\xA4\xC3\xB6\xC3\xBC",
    "\xE2\x80\xAE",
    "line\nbreak\ttab",
    "null",
    "-1",
    "1e999",
    "<script>alert(1)</script>",
    "${jndi:x}",
    std::string(300, 'y'),
    std::string(5000, 'z'),
};

/// What a reference refers to mostly; anything else known is tried as well.
constexpr std::pair<const char*, const char*> kReferences[] = {
    {"configId", "storage"},         {"sourceId", "source"},
    {"targetSourceId", "source"},    {"encryptionProfileId", "encryption-profiles"},
    {"storageId", "storage"},        {"jobId", "jobs"},
    {"namingTemplateId", "naming-templates"}, {"schedulePresetId", "schedule-presets"},
    {"retentionPolicyId", "retention-policies"},
    {"credentialId", "credentials"}, {"primaryCredentialId", "credentials"},
    {"groupId", "groups"},           {"userId", "users"},
};

bool ends_with_word(const std::string& name, std::string_view word) {
  return name.size() >= word.size() &&
         equal_ignoring_case(std::string_view{name}.substr(name.size() - word.size()), word);
}

std::string encoded(const std::string& text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || c == '-' || c == '_' || c == '.') {
      out += c;
    } else {
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out;
}

std::string noun_of(const RouteRow& row) {
  std::string noun;
  for (const std::string& segment : row.segments) {
    if (segment.starts_with('{')) break;
    noun = segment;
  }
  return noun;
}

bool admits(const Json& schema, const Json& body) {
  try {
    schema::check(schema, body);
    return true;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

std::string_view to_string(Fit fit) {
  switch (fit) {
    case Fit::Valid:
      return "valid";
    case Fit::Boundary:
      return "boundary";
    case Fit::Broken:
      break;
  }
  return "broken";
}

std::string GeneratedRequest::text() const {
  std::string out = std::string{dbackup::host::to_string(method)} + " " + target.substr(0, 600);
  for (const auto& [name, value] : sent.headers) out += "\n  " + name + ": " + value.substr(0, 200);
  if (!sent.key.empty()) out += "\n  (with " + sent.key.substr(0, 12) + ")";
  return out + "\n  " + dump_json(Json(sent.body.substr(0, 1500)));
}

void RequestGenerator::know(const std::string& kind, const std::string& value) {
  auto& list = known_[kind];
  if (value.empty() || std::ranges::find(list, value) != list.end()) return;
  if (list.size() < kMostKnown) {
    list.push_back(value);
  } else {
    list[random_() % list.size()] = value;
  }
}

void RequestGenerator::learn(const RouteRow& row, const GeneratedRequest& request,
                             const Answer& answer) {
  if (const auto tag = answer.headers.get("ETag"); !tag.empty())
    know("etag " + request.target, std::string{tag});
  if (answer.status >= 300) return;
  if (row.method == Method::Delete) forget(request.target.substr(request.target.rfind('/') + 1));
  for (const auto cookie : answer.headers.find_all("Set-Cookie"))
    know("cookie", std::string{cookie.substr(0, cookie.find(';'))});
  learn_from(noun_of(row), answer.body, 0);
}

void RequestGenerator::forget(const std::string& value) {
  for (auto& [kind, list] : known_) std::erase(list, value);
}

void RequestGenerator::learn_from(const std::string& noun, const Json& value, int depth) {
  if (value.is_array()) {
    for (size_t i = 0; i < value.size() && i < 5; ++i) learn_from(noun, value[i], depth);
  }
  if (!value.is_object()) return;
  for (const auto& [name, member] : value.items()) {
    if (member.is_string() && depth < 3) {
      const auto& text = member.get_ref<const std::string&>();
      if (name == "id") know(noun, text);
      if (name == "executionId") know("executions", text);
      if (name == "path" && noun == "storage") know("file", text);
      if (const size_t at = text.find("?token="); name == "url" && at != std::string::npos)
        know("token", text.substr(at + 7));
    }
    learn_from(noun, member, depth + 1);
  }
}

std::string RequestGenerator::id_for(const RouteRow& row, size_t segment) {
  std::string noun = segment > 0 ? row.segments[segment - 1] : "";
  if (noun == "vault") noun = "encryption-profiles";
  const auto& own = known_[noun];
  if (!own.empty() && !one_in(6)) return any_of(own);
  if (one_in(2) && !known_.empty()) {
    const auto& other = any_of(known_).second;
    if (!other.empty() && other.front().size() < 100) return any_of(other);
  }
  std::string odd = any_of(kOddTexts);
  return odd.empty() ? "unknown" : odd.substr(0, 1000);
}

std::string RequestGenerator::text_for(const Json& schema, const std::string& name, Fit fit) {
  if (schema.contains("enum")) return any_of(schema["enum"]).get<std::string>();
  const size_t shortest = schema.value("minLength", size_t{0});
  const size_t longest = schema.value("maxLength", size_t{4000});
  if (fit == Fit::Boundary && name != "schedule") {
    const size_t length = one_in(2) ? shortest : longest;
    return std::string(length, static_cast<char>('a' + random_() % 26));
  }
  if (schema.value("format", "") == "date-time") {
    return one_in(2) ? "2031-05-06T07:08:09.123Z" : "2020-01-01T00:00:00.000Z";
  }
  const auto fresh = std::to_string(++made_);
  if (name == "taskId" && !one_in(4)) {
    constexpr const char* kTasks[] = {"system.clean_audit_logs", "system.sync_permissions"};
    return any_of(kTasks);
  }
  if (name == "schedule") return one_in(8) ? "not a schedule" : "0 3 * * *";
  if (name == "name" && !one_in(5)) return "Thing " + fresh;
  if (name == "adapterId") {
    constexpr const char* kKinds[] = {"scripted-db", "scripted-disk", "scripted-channel", "mysql"};
    return any_of(kKinds);
  }
  if (name == "email") return "user" + fresh + "@example.net";
  if (ends_with_word(name, "password")) return "correct horse " + fresh;
  if (ends_with_word(name, "timezone")) return one_in(2) ? "UTC" : "Europe/Berlin";
  if (name == "permissions") return std::string{any_of(kPermissions).name};
  if ((name == "file" || name == "path") && !known_["file"].empty() && !one_in(4))
    return any_of(known_["file"]);
  if (name == "token" && !known_["token"].empty() && !one_in(3)) return any_of(known_["token"]);
  for (const auto& [reference, noun] : kReferences) {
    if (name == reference && !known_[noun].empty() && !one_in(5)) return any_of(known_[noun]);
  }
  if (ends_with_word(name, "id") || ends_with_word(name, "ids")) {
    for (const auto& [noun, ids] : known_) {
      if (!ids.empty() && one_in(3) && ids.front().size() < 100) return any_of(ids);
    }
  }
  std::string text = one_in(3) ? any_of(kOddTexts) : "Word " + fresh;
  if (text.size() < shortest) text.append(shortest - text.size(), 'a');
  return text.size() > longest ? text.substr(0, longest) : text;
}

Json RequestGenerator::anything(int depth) {
  switch (random_() % (depth > 2 ? 5 : 7)) {
    case 0:
      return nullptr;
    case 1:
      return one_in(2);
    case 2:
      return Json(one_in(2) ? int64_t{-1} : INT64_MAX);
    case 3:
      return 1e300;
    case 4:
      return any_of(kOddTexts);
    case 5:
      return Json::array({anything(depth + 1), anything(depth + 1)});
    default:
      return Json{{"a", anything(depth + 1)}, {"\xC3\xA4 b", anything(depth + 1)}};
  }
}

Json RequestGenerator::value_for(const Json& schema, const std::string& name, Fit fit, int depth) {
  if (schema.contains("anyOf")) {
    const Json& forms = schema["anyOf"];
    // The first form is the usual one.
    return value_for(one_in(4) || fit == Fit::Boundary ? any_of(forms) : forms[0], name, fit,
                     depth);
  }
  const std::string type = schema.value("type", "");
  if (type == "string") return text_for(schema, name, fit);
  if (type == "boolean") return one_in(2);
  if (type == "null") return nullptr;
  if (type == "integer" || type == "number") {
    const auto least = schema.value("minimum", int64_t{-5});
    const auto most = schema.value("maximum", int64_t{100'000});
    if (fit == Fit::Boundary) return one_in(2) ? least : most;
    return least + static_cast<int64_t>(random_() % static_cast<uint64_t>(
                                                        std::min<int64_t>(most - least, 1000) + 1));
  }
  if (type == "array") {
    Json out = Json::array();
    const size_t least = schema.value("minItems", size_t{0});
    const size_t count = fit == Fit::Boundary ? least : least + random_() % 3;
    for (size_t i = 0; i < count && depth < 6; ++i)
      out.push_back(value_for(schema.value("items", Json::object()), name, fit, depth + 1));
    return out;
  }
  if (type == "object" && name == "config" && !one_in(4)) {
    Json out{{"host", one_in(8) ? "unreachable" : "db1"}, {"password", "hunter2-secret"}};
    if (!known_["disk"].empty()) out["basePath"] = known_["disk"].front();
    return out;
  }
  if (type == "object" && !schema.contains("properties")) {
    if (schema.contains("additionalProperties")) {
      Json out = Json::object();
      for (size_t i = random_() % 3; i > 0; --i)
        out["key" + std::to_string(i)] =
            value_for(schema["additionalProperties"], "label", fit, depth + 1);
      return out;
    }
    return {{"odd", anything(1)}};
  }
  if (type == "object") {
    Json out = Json::object();
    const Json required = schema.value("required", Json::array());
    for (const auto& [member, property] : schema["properties"].items()) {
      const bool is_needed = std::ranges::find(required, Json(member)) != required.end();
      const bool is_likely = fit != Fit::Broken && member == "sourceId" && !one_in(5);
      if (is_needed || is_likely || (density_ > 0 && one_in(density_)))
        out[member] = value_for(property, member, fit, depth + 1);
    }
    return out;
  }
  return anything(depth);
}

/// `value` with one thing changed, most likely to something that its schema does not admit.
Json RequestGenerator::mutated(const Json& schema, Json value) {
  const Json properties = schema.value("properties", Json::object());
  if (properties.empty() || !value.is_object()) return anything(0);
  const auto property =
      std::next(properties.begin(), static_cast<ptrdiff_t>(random_() % properties.size()));
  if (value.contains(property.key()) && value[property.key()].is_object() && one_in(2)) {
    value[property.key()] = mutated(property.value(), value[property.key()]);
    return value;
  }
  switch (random_() % 4) {
    case 0:
      value.erase(property.key());
      break;
    case 1:
      value[property.key()] = one_in(2) ? std::string("nul\0here", 8) : std::string{};
      break;
    default:
      value[property.key()] = anything(0);
  }
  return value;
}

std::string RequestGenerator::query_for(const RouteRow& row, Fit fit) {
  std::string out;
  const auto add = [&](const std::string& name, const std::string& value) {
    out += (out.empty() ? "?" : "&") + encoded(name) + "=" + encoded(value);
  };
  if (row.query) {
    const Json required = row.query->value("required", Json::array());
    for (const auto& [name, property] : (*row.query)["properties"].items()) {
      const bool is_needed = std::ranges::find(required, Json(name)) != required.end();
      if (fit == Fit::Broken && one_in(3)) {
        add(name, any_of(kOddTexts).substr(0, 1000));
      } else if (is_needed || one_in(2)) {
        const Json value = value_for(property, name, fit, 0);
        // Nobody ends a run here, so waiting for one only takes time.
        const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
        add(name, name == "wait" ? "0" : text.substr(0, 2000));
      }
    }
  }
  if (one_in(10)) add("unknown", "1");
  return out;
}

std::string RequestGenerator::form_for(const RouteRow& row, Fit fit) {
  if (fit == Fit::Broken && one_in(2)) return any_of(kOddTexts);
  std::string out;
  const Json properties = row.request ? row.request->value("properties", Json::object()) : Json{};
  for (const auto& [name, property] : properties.items()) {
    if (fit == Fit::Broken && one_in(3)) continue;
    out += "--limit\r\nContent-Disposition: form-data; name=\"" + name +
           "\"; filename=\"f\"\r\n\r\n" + any_of(kOddTexts) + "\r\n";
  }
  return out + "--limit--\r\n";
}

void RequestGenerator::add_headers(const RouteRow& row, Fit fit, GeneratedRequest& request) {
  auto& headers = request.sent.headers;
  const auto& tags = known_["etag " + request.target];
  const auto tag = [&]() -> std::string {
    return !tags.empty() && !one_in(3) ? tags.back() : "\"0123\"";
  };
  if (row.etag && one_in(3))
    headers.emplace_back(row.method == Method::Get ? "If-None-Match" : "If-Match",
                         one_in(6) ? "*" : tag());
  if (one_in(4)) headers.emplace_back("If-Match", fit == Fit::Broken ? "W/odd" : "*");
  if (row.method == Method::Post && one_in(3)) {
    headers.emplace_back("Idempotency-Key", fit == Fit::Broken && one_in(2)
                                                ? any_of(kOddTexts).substr(0, 400)
                                                : "key-" + std::to_string(random_() % 6));
  }
  if (row.produces != "application/json" && one_in(3)) {
    constexpr const char* kRanges[] = {"bytes=0-0",        "bytes=1-",  "bytes=-1",
                                       "bytes=999999999-", "bytes=5-2", "items=1-2"};
    headers.emplace_back("Range", any_of(kRanges));
  }
  if (!known_["cookie"].empty() && one_in(4)) {
    headers.emplace_back("Cookie", any_of(known_["cookie"]));
    headers.emplace_back("Origin", one_in(6) ? "http://elsewhere.test" : "http://backup.test:3000");
    if (!one_in(4)) request.sent.key = "none";
  } else if (one_in(8)) {
    headers.emplace_back("Origin", "http://backup.test:3000");
  }
  if (one_in(8)) headers.emplace_back("X-Forwarded-Proto", "https");
  std::erase_if(headers, [](const auto& field) {
    return std::ranges::any_of(field.second, [](char c) { return c == '\n' || c == '\r'; });
  });
}

GeneratedRequest RequestGenerator::make(const RouteRow& row, Fit fit) {
  GeneratedRequest request{.method = row.method};
  constexpr uint64_t kDensities[] = {0, 0, 8, 2};  // of optional members: none, few, many
  density_ = any_of(kDensities);
  if (row.method == Method::Get && one_in(8)) request.method = Method::Head;
  for (size_t i = 0; i < row.segments.size(); ++i) {
    const std::string& segment = row.segments[i];
    request.target += "/" + (segment.starts_with('{') ? encoded(id_for(row, i)) : segment);
  }
  request.target += query_for(row, fit);
  auto& sent = request.sent;
  if (row.consumes != "application/json") {
    sent.body = form_for(row, fit);
    sent.headers.emplace_back("Content-Type", fit == Fit::Broken && one_in(3)
                                                  ? "text/plain"
                                                  : row.consumes + "; boundary=limit");
  } else if (row.body != BodyRule::None) {
    const Json schema = row.request.value_or(Json::object());
    Json body = row.request ? value_for(schema, "", fit, 0) : Json::object();
    sent.body = dump_json(body);
    if (fit == Fit::Broken) {
      constexpr const char* kNoJson[] = {"",           "{",        "[]",           "null",
                                         "{\"a\":1}}", "\"text\"", "{\"a\":1e999}"};
      if (one_in(6)) {
        sent.body = any_of(kNoJson);
      } else if (one_in(8)) {
        sent.body = "{\"a\":" + std::string(100, '[') + std::string(100, ']') + "}";
      } else if (one_in(10)) {
        sent.body = "{\"name\":\"\xC3\x28\"}";
      } else {
        body = mutated(schema, std::move(body));
        sent.body = dump_json(body);
      }
    }
    // Whatever the type says, except where a row asks for it.
    constexpr const char* kTypes[] = {"application/json", "text/plain",
                                      "application/x-www-form-urlencoded"};
    const bool as_json = row.body == BodyRule::IfJson || one_in(2);
    sent.headers.emplace_back("Content-Type", as_json ? kTypes[0] : any_of(kTypes));
    const Json parsed = Json::parse(sent.body, nullptr, /*allow_exceptions=*/false);
    const bool is_blank = sent.body.empty() && row.body != BodyRule::Required;
    request.breaks_schema =
        !is_blank && (parsed.is_discarded() || !parsed.is_object() || !admits(schema, parsed));
  }
  add_headers(row, fit, request);
  return request;
}

}  // namespace dbackup::host::testing
