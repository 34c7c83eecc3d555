#pragma once

#include <map>
#include <string>

#include "tests/unit/api/api_fixture.hpp"

namespace dbackup::host::testing {

/// A client with a cookie jar, as a browser on the server's own pages.
class Browser {
 public:
  explicit Browser(ApiFixture& api) : api_{api} {}

  Answer send(Method method, const std::string& target, const Json& body = nullptr) {
    Sent sent{.key = key};
    if (!body.is_null()) sent.body = body.dump();
    sent.headers = {{"Content-Type", "application/json"}};
    if (!origin.empty()) sent.headers.emplace_back("Origin", origin);
    if (const std::string all = cookies(); !all.empty()) sent.headers.emplace_back("Cookie", all);
    Answer answer = api_.send(method, target, sent);
    for (const std::string_view field : answer.headers.find_all("Set-Cookie"))
      keep(std::string{field});
    return answer;
  }
  Answer get(const std::string& target) { return send(Method::Get, target); }
  Answer post(const std::string& target, const Json& body = Json::object()) {
    return send(Method::Post, target, body);
  }
  Answer put(const std::string& target, const Json& body) {
    return send(Method::Put, target, body);
  }

  Answer sign_up(const std::string& email, const std::string& name = "Somebody") {
    return post("/api/auth/sign-up/email",
                {{"name", name}, {"email", email}, {"password", kPassword}});
  }
  Answer sign_in(const std::string& email, const std::string& password = kPassword) {
    return post("/api/auth/sign-in/email", {{"email", email}, {"password", password}});
  }

  static constexpr const char* kPassword = "correct horse battery";
  std::map<std::string, std::string> jar;
  std::string origin = "http://backup.test:3000";
  std::string key = "none";

 private:
  std::string cookies() const {
    std::string out;
    for (const auto& [name, value] : jar) out += (out.empty() ? "" : "; ") + name + "=" + value;
    return out;
  }
  void keep(const std::string& field) {
    const std::string pair = field.substr(0, field.find(';'));
    const std::string name = pair.substr(0, pair.find('='));
    const std::string value = pair.substr(pair.find('=') + 1);
    if (value.empty() || field.find("Max-Age=0") != std::string::npos) {
      jar.erase(name);
    } else {
      jar[name] = value;
    }
  }

  ApiFixture& api_;
};

}  // namespace dbackup::host::testing
