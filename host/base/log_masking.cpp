#include "base/log_masking.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>

namespace dbackup::host {
namespace {

constexpr std::string_view kAddress = "[address]";
constexpr std::string_view kHidden = "[hidden]";
constexpr size_t kLongestPlain = 39;  // a UUID has 36 characters, with dashes

constexpr std::array<std::string_view, 12> kSecretWords{
    "password",  "passwd",     "pwd",           "secret",     "token",      "apikey",
    "accesskey", "credential", "authorization", "passphrase", "privatekey", "signature"};
constexpr std::array<std::string_view, 9> kHostWords{
    "host", "hostname", "server", "endpoint", "hostaddr", "address", "user", "username", "login"};

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_alnum(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; }
/// What words and addresses are made of.
bool is_word(char c) {
  return is_alnum(c) || c == '.' || c == '-' || c == '_' || c == ':' || c == '@';
}
bool is_in_url(char c) {
  return !is_space(c) && c != '"' && c != '\'' && c != '<' && c != '>' && c != ')';
}

/// Letters and digits alone, in lower case: "API-Key" is "apikey".
std::string plain(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (is_alnum(c)) out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return out;
}

bool names_secret(std::string_view name) {
  const std::string word = plain(name);
  return std::ranges::any_of(kSecretWords, [&](auto secret) { return word.ends_with(secret); });
}
bool names_host(std::string_view name) {
  const std::string word = plain(name);
  return std::ranges::find(kHostWords, word) != kHostWords.end();
}

bool is_ipv4(std::string_view text) {
  int parts = 0;
  while (true) {
    size_t digits = 0;
    int value = 0;
    while (digits < text.size() && digits < 3 && is_digit(text[digits]))
      value = value * 10 + (text[digits++] - '0');
    if (digits == 0 || value > 255) return false;
    ++parts;
    text.remove_prefix(digits);
    if (parts == 4) return text.empty() || text.front() == ':' || text.front() == '/';
    if (text.empty() || text.front() != '.') return false;
    text.remove_prefix(1);
  }
}

bool is_ipv6(std::string_view text) {
  const auto colons = std::ranges::count(text, ':');
  const bool is_short = text.find("::") != std::string_view::npos;
  return (colons == 7 || (is_short && colons >= 2)) && text.size() > 2 &&
         std::ranges::all_of(text, [](char c) { return is_hex(c) || c == ':' || c == '.'; });
}

/// "db1:5432": a name, and a number that may be a port.
bool has_port(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == text.size()) return false;
  const std::string_view name = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  return port.size() >= 2 && port.size() <= 5 && std::ranges::all_of(port, is_digit) &&
         name.find(':') == std::string_view::npos && std::ranges::any_of(name, [](char c) {
           return std::isalpha(static_cast<unsigned char>(c)) != 0;
         });
}

bool is_mail(std::string_view text) {
  const size_t at = text.find('@');
  return at != std::string_view::npos && at > 0 && at + 1 < text.size();
}

/// Keys are long and mix digits with letters; words and file names do not.
bool looks_like_key(std::string_view text) {
  if (text.size() <= kLongestPlain || text.find('.') != std::string_view::npos) return false;
  const bool has_digit = std::ranges::any_of(text, is_digit);
  const bool has_letter =
      std::ranges::any_of(text, [](char c) { return is_alnum(c) && !is_digit(c); });
  return has_digit && has_letter &&
         std::ranges::all_of(text, [](char c) { return is_alnum(c) || c == '_' || c == '-'; });
}

class Masker {
 public:
  explicit Masker(std::string_view line) : rest_{line} {}

  std::string run() {
    while (!rest_.empty()) {
      if (!is_word(rest_.front())) {
        take(1);
        continue;
      }
      step(std::find_if_not(rest_.begin(), rest_.end(), is_word) - rest_.begin());
    }
    return std::move(out_);
  }

 private:
  void take(size_t count) {
    out_ += rest_.substr(0, count);
    rest_.remove_prefix(count);
  }
  void drop(size_t count, std::string_view instead) {
    out_ += instead;
    rest_.remove_prefix(std::min(count, rest_.size()));
  }

  /// One word of that many characters.
  void step(std::ptrdiff_t length) {
    const std::string_view word = rest_.substr(0, static_cast<size_t>(length));
    const std::string_view behind = rest_.substr(word.size());
    if (word.ends_with(':') && behind.starts_with("//")) return url(word.size());
    const size_t colon = word.find(':');
    // "password:x" and "password: x" as well as "password=x".
    if (colon != std::string_view::npos && is_name(word.substr(0, colon))) return named(colon);
    if (behind.starts_with('=') && is_name(word)) return named(word.size());
    if ((word == "Bearer" || word == "Basic") && behind.starts_with(' ')) {
      take(word.size() + 1);
      return drop(value_length(), kHidden);
    }
    if (is_ipv4(trimmed(word)) || is_ipv6(trimmed(word)) || has_port(trimmed(word)) ||
        is_mail(word)) {
      const std::string_view address = trimmed(word);
      drop(address.size(), kAddress);
      return take(word.size() - address.size());
    }
    if (looks_like_key(word)) return drop(word.size(), kHidden);
    take(word.size());
  }

  static bool is_name(std::string_view word) { return names_secret(word) || names_host(word); }
  /// Without what ends a sentence.
  static std::string_view trimmed(std::string_view word) {
    while (!word.empty() && (word.back() == '.' || word.back() == ':' || word.back() == '-'))
      word.remove_suffix(1);
    return word;
  }

  void url(size_t scheme) {
    take(scheme + 2);
    const auto end = std::find_if(rest_.begin(), rest_.end(), [](char c) {
      return !is_in_url(c) || c == '/' || c == '?' || c == '#' || c == ',' || c == ';';
    });
    if (end != rest_.begin()) drop(static_cast<size_t>(end - rest_.begin()), kAddress);
    while (!rest_.empty() && is_in_url(rest_.front())) {
      if (rest_.front() != '?' && rest_.front() != '#') {
        take(1);
        continue;
      }
      take(1);
      const auto last = std::find_if_not(rest_.begin(), rest_.end(), is_in_url);
      if (last != rest_.begin()) drop(static_cast<size_t>(last - rest_.begin()), kHidden);
    }
  }

  /// The value of a name of that length.
  void named(size_t name) {
    const bool is_secret = names_secret(rest_.substr(0, name));
    const bool is_header = plain(rest_.substr(0, name)).ends_with("authorization");
    take(name + 1);
    while (!rest_.empty() && rest_.front() == ' ') take(1);
    const size_t length = is_header ? rest_.size() : value_length();
    if (length > 0) drop(length, is_secret ? kHidden : kAddress);
  }
  /// Up to a blank or a separator, or to the closing quote.
  size_t value_length() const {
    if (rest_.empty()) return 0;
    const char quote = rest_.front();
    if (quote == '"' || quote == '\'') {
      const size_t end = rest_.find(quote, 1);
      return end == std::string_view::npos ? rest_.size() : end + 1;
    }
    const auto end = std::find_if(rest_.begin(), rest_.end(), [](char c) {
      return is_space(c) || c == ',' || c == ';' || c == '&';
    });
    return static_cast<size_t>(end - rest_.begin());
  }

  std::string_view rest_;
  std::string out_;
};

}  // namespace

std::string masked(std::string_view line) { return Masker{line}.run(); }

}  // namespace dbackup::host
