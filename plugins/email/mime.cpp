#include "mime.hpp"

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <common/encodings.hpp>
#include <cstdio>
#include <string_view>

namespace dbackup::plugins::email {
namespace {

std::string random_word() {
  std::array<unsigned char, 16> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    throw system_error(errno, "cannot get random bytes");
  std::string out;
  constexpr std::string_view kHex = "0123456789abcdef";
  for (const unsigned char byte : bytes) out += {kHex[byte >> 4], kHex[byte & 15]};
  return out;
}

std::string part(const std::string& boundary, const char* type, const std::string& content) {
  return "--" + boundary + "\r\nContent-Type: " + type +
         "; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" +
         quoted_printable(content) + "\r\n";
}

/// One address a line: no number of them makes a line too long.
std::string header_of(const std::vector<Address>& addresses) {
  std::string out;
  for (const Address& address : addresses) out += (out.empty() ? "" : ",\r\n ") + address.header();
  return out;
}

}  // namespace

std::string quoted_printable(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  constexpr size_t kMostLine = 76;
  std::string out;
  size_t column = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    const auto byte = static_cast<unsigned char>(c);
    const bool is_crlf = c == '\r' && at + 1 < text.size() && text[at + 1] == '\n';
    if (is_crlf) continue;
    if (c == '\n') {
      out += "\r\n";
      column = 0;
      continue;
    }
    const bool ends_line = at + 1 == text.size() || text[at + 1] == '\n' || text[at + 1] == '\r';
    const bool is_plain =
        (byte > 0x20 && byte < 0x7F && c != '=') || ((c == ' ' || c == '\t') && !ends_line);
    const size_t size = is_plain ? 1 : 3;
    if (column + size > kMostLine - 1) {
      out += "=\r\n";
      column = 0;
    }
    if (is_plain) {
      out += c;
    } else {
      out += {'=', kHex[byte >> 4], kHex[byte & 15]};
    }
    column += size;
  }
  return out;
}

std::string rfc5322_date(std::chrono::sys_seconds when) {
  using namespace std::chrono;
  constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                               "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const sys_days day = floor<days>(when);
  const year_month_day date{day};
  const hh_mm_ss time{when - day};
  std::array<char, 64> out{};
  std::snprintf(out.data(), out.size(), "%s, %02u %s %04d %02d:%02d:%02d +0000",
                kDays[weekday{day}.c_encoding()], static_cast<unsigned>(date.day()),
                kMonths[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
                static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count()));
  return out.data();
}

std::string mime_of(const Mail& mail, std::chrono::sys_seconds now) {
  // "=_" cannot be in quoted-printable text, so no content looks like a boundary.
  const std::string boundary = "=_" + random_word();
  return "Date: " + rfc5322_date(now) + "\r\nFrom: " + mail.from.header() +
         "\r\nTo: " + header_of(mail.to) + "\r\nSubject: " + encoded_words(mail.subject, "\r\n ") +
         "\r\nMessage-ID: <" + random_word() + "@" + mail.from.domain() +
         ">\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
         "Content-Type: multipart/alternative;\r\n boundary=\"" +
         boundary + "\"\r\n\r\n" + part(boundary, "text/plain", mail.text) +
         part(boundary, "text/html", mail.html) + "--" + boundary + "--\r\n";
}

}  // namespace dbackup::plugins::email
