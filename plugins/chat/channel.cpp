#include "channel.hpp"

#include <poll.h>

#include <algorithm>
#include <cctype>
#include <common/url_guard.hpp>

namespace dbackup::plugins::chat {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

// The host gives 30 s; what is left of them is for a last answer and the end of the process.
constexpr milliseconds kMostWaiting{20'000};
constexpr milliseconds kMostInAll{26'000};
constexpr milliseconds kShortestWait{250};
constexpr milliseconds kReconnectAfter{300};
constexpr int kMostTries = 6;
constexpr int kAskAgainMs = 100;

void pause(const Call& call, milliseconds time) {
  for (const auto until = Clock::now() + time; Clock::now() < until;) {
    call.check_cancelled();
    const auto left = std::chrono::ceil<milliseconds>(until - Clock::now()).count();
    ::poll(nullptr, 0, static_cast<int>(std::clamp<int64_t>(left, 0, kAskAgainMs)));
  }
}

std::string when_again(milliseconds wait) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(wait);
  return "; it may be tried again in " + std::to_string(seconds.count()) + " s, at " +
         iso8601(std::chrono::system_clock::now() + seconds);
}

bool is_json(const HttpRequest& request) {
  return std::ranges::any_of(request.headers,
                             [](const auto& h) { return h.second == "application/json"; });
}

}  // namespace

TestResult Channel::test(Call& call) {
  deliver(call, test_request());
  return {.message = test_answer()};
}

Rendering Channel::send(Call& call, const Event& event) {
  HttpRequest request = request_for(event);
  deliver(call, request);
  if (!is_json(request)) return {};
  return {.text = std::move(*request.body), .format = "json"};
}

void Channel::deliver(const Call& call, HttpRequest request) const {
  const auto since = Clock::now();
  const auto passed = [&] { return std::chrono::ceil<milliseconds>(Clock::now() - since); };
  bool reconnected = false;
  for (int tries = 1;; ++tries) {
    call.check_cancelled();
    request.timeout = kMostInAll - std::min(passed(), kMostInAll - milliseconds{1'000});
    HttpResponse response;
    try {
      response = plugins::send(call, request);
    } catch (const NotConnected& error) {
      if (reconnected || passed() > kMostWaiting / 2) {
        throw Error{error.code(), service_ + ": " + error.what(), error.detail()};
      }
      reconnected = true;
      pause(call, kReconnectAfter);
      continue;
    } catch (const Error& error) {
      if (error.code() == ErrorCode::Cancelled) throw;
      throw Error{error.code(), service_ + ": " + error.what(), error.detail()};
    }
    if (accepted(response)) return;
    if (!rate_limited(response)) throw refused(std::move(response));
    const milliseconds doubled = std::chrono::seconds{1 << std::min(tries - 1, 3)};
    const milliseconds wait = std::max(kShortestWait, wait_asked(response).value_or(doubled));
    if (tries == kMostTries || passed() + wait > kMostWaiting) {
      const Error why = refused(std::move(response));
      throw Error{ErrorCode::Unavailable, why.what() + when_again(wait)};
    }
    pause(call, wait);
  }
}

Error Channel::refused(HttpResponse response) const {
  const Json answer = json_of(response);
  if (answer.is_object()) {
    if (std::string words = words_of(answer); !words.empty()) response.body = std::move(words);
  }
  return refusal(service_, response, secrets_);
}

std::string Channel::words_of(const Json& answer) const { return text_of(answer, "message"); }

std::optional<milliseconds> Channel::wait_asked(const HttpResponse& response) const {
  if (!response.retry_after) return std::nullopt;
  return *response.retry_after;
}

std::string backslash_escaped(std::string_view character, std::string_view special) {
  const bool is_special = character.size() == 1 && special.find(character) != special.npos;
  return (is_special ? "\\" : "") + std::string{character};
}

std::string markdown_escaped(std::string_view character) {
  return backslash_escaped(character, "\\*`[<~");
}

HttpRequest json_post(const std::string& url, const Json& body) {
  return {.method = "POST",
          .url = url,
          .headers = {{"Content-Type", "application/json"}},
          .body = to_text(body)};
}

Json json_of(const HttpResponse& response) {
  Json out = Json::parse(response.body, nullptr, /*allow_exceptions=*/false);
  return out.is_discarded() ? Json{} : out;
}

std::string text_of(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

std::string base_url(const Config& config, const char* name, const char* fallback) {
  std::string url = config.text(name);
  if (url.empty()) url = *fallback == '\0' ? config.required(name) : fallback;
  check_url(url);
  if (url.find_first_of("?#") != url.npos) {
    throw Error{ErrorCode::InvalidArgument,
                "\"" + std::string{name} + "\" must end before any \"?\" or \"#\""};
  }
  while (url.ends_with('/')) url.pop_back();
  return url;
}

std::string path_word(const Config& config, const char* name) {
  std::string word = config.required(name);
  const bool is_word = std::ranges::all_of(
      word, [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '_' || c == ':'; });
  if (!is_word) {
    throw Error{ErrorCode::InvalidArgument, "\"" + std::string{name} +
                                                "\" may hold letters, digits, \"-\", \"_\" and "
                                                "\":\" alone"};
  }
  return word;
}

}  // namespace dbackup::plugins::chat
