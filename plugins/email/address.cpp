#include "address.hpp"

#include <algorithm>
#include <cctype>
#include <common/encodings.hpp>
#include <string_view>

namespace dbackup::plugins::email {
namespace {

std::string trimmed(const std::string& text) {
  const size_t first = text.find_first_not_of(' ');
  return first == text.npos ? "" : text.substr(first, text.find_last_not_of(' ') - first + 1);
}

bool has_control(const std::string& text) {
  return std::ranges::any_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

/// RFC 5321 without its quoted strings and address literals in IPv6: nobody receives alerts there.
bool is_mailbox(const std::string& text) {
  const size_t at = text.rfind('@');
  if (at == text.npos || at == 0 || at > 64 || text.size() - at - 1 > 253) return false;
  const auto is_word = [](std::string_view part, std::string_view others) {
    return !part.empty() && part.front() != '.' && part.back() != '.' &&
           part.find("..") == part.npos && std::ranges::all_of(part, [&](unsigned char c) {
             return std::isalnum(c) || others.find(static_cast<char>(c)) != others.npos;
           });
  };
  const std::string_view whole{text};
  return is_word(whole.substr(0, at), ".!#$%&'*+-/=?^_`{|}~") &&
         is_word(whole.substr(at + 1), ".-");
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

}  // namespace

std::string Address::header() const {
  if (name.empty()) return mailbox;
  const std::string words = encoded_words(name, "\r\n ");
  return (words == name ? quoted(name) : words) + " <" + mailbox + ">";
}

Address parse_address(const std::string& text, const std::string& option) {
  const std::string clean = trimmed(text);
  Address out{.mailbox = clean};
  if (const size_t open = clean.rfind('<'); open != clean.npos && clean.back() == '>') {
    out.mailbox = clean.substr(open + 1, clean.size() - open - 2);
    out.name = trimmed(clean.substr(0, open));
    if (out.name.size() >= 2 && out.name.front() == '"' && out.name.back() == '"')
      out.name = out.name.substr(1, out.name.size() - 2);
  }
  if (has_control(text) || !is_mailbox(out.mailbox)) {
    throw Error{ErrorCode::InvalidArgument,
                "\"" + option + "\" must hold valid e-mail addresses, in ASCII"};
  }
  return out;
}

std::vector<Address> parse_receivers(const Config& config) {
  std::vector<std::string> texts;
  if (config.has("to") && config.json().at("to").is_array()) {
    texts = config.list("to");
  } else {
    const std::string all = config.required("to");
    for (size_t at = 0; at <= all.size();) {
      const size_t comma = std::min(all.find_first_of(",;", at), all.size());
      if (const std::string one = trimmed(all.substr(at, comma - at)); !one.empty())
        texts.push_back(one);
      at = comma + 1;
    }
  }
  std::vector<Address> out;
  for (const std::string& text : texts) {
    Address address = parse_address(text, "to");
    const auto same = [&](const Address& other) { return other.mailbox == address.mailbox; };
    if (std::ranges::none_of(out, same)) out.push_back(std::move(address));
  }
  if (out.empty()) throw Error{ErrorCode::InvalidArgument, "\"to\" is required"};
  return out;
}

}  // namespace dbackup::plugins::email
