#include "card.hpp"

#include <algorithm>
#include <string_view>

namespace dbackup::plugins::email {
namespace {

struct Tone {
  std::string_view color;  ///< of the event
  std::string_view background;
  std::string_view border;
};

constexpr Tone kRed{"#ef4444", "#fef2f2", "#fecaca"};
constexpr Tone kAmber{"#f59e0b", "#fffbeb", "#fde68a"};
constexpr Tone kBlue{"#3b82f6", "#eff6ff", "#bfdbfe"};
constexpr Tone kOrange{"#f97316", "#fff7ed", "#fed7aa"};
constexpr Tone kPurple{"#8b5cf6", "#f5f3ff", "#ddd6fe"};
constexpr Tone kGreen{"#22c55e", "#f0fdf4", "#bbf7d0"};

struct Badge {
  Tone tone;
  std::string mark;
  std::string label;
};

Badge failure_badge(const Event& event) {
  if (event.badge.empty()) return {kRed, "✕", "Failed"};
  for (const Tone& tone : {kBlue, kRed, kOrange}) {
    if (tone.color == event.color) return {tone, "⚠", event.badge};
  }
  return {kAmber, "⚠", event.badge};
}

Badge badge_of(const Event& event) {
  if (event.success == false) return failure_badge(event);
  Badge out{kGreen, "✓", "Success"};
  if (event.color == kBlue.color) out = {kBlue, "ℹ", "Info"};
  if (event.color == kPurple.color) out = {kPurple, "✓", "Completed"};
  if (event.color == kAmber.color) out = {kAmber, "⚠", "Warning"};
  if (!event.success && event.color.empty()) out = {kBlue, "ℹ", "Info"};
  if (!event.badge.empty()) out.label = event.badge;
  return out;
}

std::string text_of(std::string_view text) {
  constexpr size_t kMost = 20'000;
  return fitted(text, kMost, Unit::Utf16, &entity_escaped);
}

std::string pill(const Badge& badge) {
  return "<span style=\"display:inline-block;padding:3px 11px;border-radius:999px;font-size:12px;"
         "font-weight:600;color:" +
         std::string{badge.tone.color} + ";background:" + std::string{badge.tone.background} +
         ";border:1px solid " + std::string{badge.tone.border} + "\">" + badge.mark + "&nbsp;" +
         text_of(badge.label) + "</span>";
}

std::string rows_of(const std::vector<EventField>& fields) {
  std::string out;
  for (const EventField& field : fields) {
    const std::string line = &field == &fields.back() ? "" : "border-bottom:1px solid #e5e7eb;";
    out += "<tr><td style=\"" + line +
           "padding:9px 12px;width:132px;background:#f9fafb;color:#6b7280;font-size:11px;"
           "font-weight:600;letter-spacing:.4px;text-transform:uppercase;vertical-align:top\">" +
           text_of(field.name) + "</td><td style=\"" + line +
           "padding:9px 12px;color:#111827;font-size:13px;white-space:pre-wrap;"
           "word-break:break-word\">" +
           text_of(field.value) + "</td></tr>\n";
  }
  return out;
}

}  // namespace

std::string card_of(const Event& event, const Message& message) {
  std::string out =
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>" +
      text_of(message.title) +
      "</title></head>\n<body style=\"margin:0;padding:24px 12px;background:#f3f4f6;"
      "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif\">\n"
      "<table role=\"presentation\" align=\"center\" width=\"100%\" cellpadding=\"0\" "
      "cellspacing=\"0\" style=\"max-width:560px;margin:0 auto;background:#ffffff;"
      "border:1px solid #e5e7eb;border-radius:10px\">\n"
      "<tr><td style=\"padding:18px 24px;border-bottom:1px solid #e5e7eb\">"
      "<table role=\"presentation\" width=\"100%\" cellpadding=\"0\" cellspacing=\"0\"><tr>"
      "<td style=\"font-size:15px;font-weight:700;color:#111827\">DBackup</td>"
      "<td align=\"right\">" +
      pill(badge_of(event)) +
      "</td></tr></table></td></tr>\n"
      "<tr><td style=\"padding:22px 24px 8px\"><div style=\"font-size:18px;font-weight:600;"
      "color:#111827\">" +
      text_of(message.title) +
      "</div><div style=\"padding-top:8px;font-size:14px;line-height:1.5;color:#374151;"
      "white-space:pre-wrap;word-break:break-word\">" +
      text_of(message.text) + "</div></td></tr>\n";
  if (!message.fields.empty()) {
    out +=
        "<tr><td style=\"padding:10px 24px\"><table role=\"presentation\" width=\"100%\" "
        "cellpadding=\"0\" cellspacing=\"0\" style=\"border:1px solid #e5e7eb;"
        "border-radius:6px\">\n" +
        rows_of(message.fields) + "</table></td></tr>\n";
  }
  out +=
      "<tr><td style=\"padding:14px 24px 20px;font-size:12px;color:#9ca3af\">"
      "Sent automatically by DBackup.</td></tr>\n"
      "</table>\n</body></html>\n";
  return out;
}

}  // namespace dbackup::plugins::email
