#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/json.hpp"

namespace dbackup::host {

enum class TemplateKind {
  RetentionPolicy,
  SchedulePreset,
  NamingTemplate,
  NotificationTemplate,
  ExcludePreset
};

/// What distinguishes the kinds, beside their own fields: one row each.
struct TemplateKindRow {
  TemplateKind kind;
  std::string_view id;         ///< on the wire and in the store: "retention-policies"
  std::string_view one, many;  ///< for people: "retention policy"
  bool has_default;            ///< rows carry isDefault
  bool single_default;         ///< at most one of them
  bool has_system;             ///< rows carry isSystem: made by the program, never deleted
  bool fixed_system;           ///< of a system row only isDefault may change
  bool keeps_default;          ///< the default cannot be deleted
};

inline constexpr std::array kTemplateKinds{
    TemplateKindRow{TemplateKind::RetentionPolicy, "retention-policies", "retention policy",
                    "retention policies", true, true, true, false, false},
    TemplateKindRow{TemplateKind::SchedulePreset, "schedule-presets", "schedule preset",
                    "schedule presets", false, false, false, false, false},
    TemplateKindRow{TemplateKind::NamingTemplate, "naming-templates", "naming template",
                    "naming templates", true, true, true, true, true},
    TemplateKindRow{TemplateKind::NotificationTemplate, "notification-templates",
                    "notification template", "notification templates", true, true, false, false,
                    false},
    TemplateKindRow{TemplateKind::ExcludePreset, "exclude-presets", "exclude preset",
                    "exclude presets", true, false, true, false, false},
};

constexpr const TemplateKindRow& row_of(TemplateKind kind) noexcept {
  return kTemplateKinds[static_cast<size_t>(kind)];
}
constexpr std::optional<TemplateKind> parse_template_kind(std::string_view id) noexcept {
  for (const auto& row : kTemplateKinds) {
    if (row.id == id) return row.kind;
  }
  return std::nullopt;
}

/// A channel of a notification template.
struct TemplateChannel {
  std::string id, config_id;
  std::string events;  ///< SUCCESS, PARTIAL, FAILED, joined by |
};

struct Template {
  std::string id;
  TemplateKind kind = TemplateKind::RetentionPolicy;
  std::string name;  ///< unique within the kind
  std::string description;
  /// The kind's own fields: config; schedule; pattern; patterns, groups, excludedGroupPatterns.
  Json content = Json::object();
  std::vector<TemplateChannel> channels;  ///< of a notification template, in order
  bool is_default = false, is_system = false;
  TimeMs created_at = 0, updated_at = 0;
};

/// Built-in lists of patterns that exclude presets name.
struct ExcludeGroup {
  std::string_view id, label;
  std::string_view patterns;  ///< one a line: some hold blanks
};
inline constexpr std::array kExcludeGroups{
    ExcludeGroup{"macos", "macOS",
                 ".DS_Store\n._*\n.Spotlight-V100\n.Trashes\n.fseventsd\n.DocumentRevisions-V100\n"
                 ".TemporaryItems"},
    ExcludeGroup{
        "windows", "Windows",
        "Thumbs.db\nehthumbs.db\ndesktop.ini\n$RECYCLE.BIN/**\nSystem Volume Information/**"},
    ExcludeGroup{"linux", "Linux", ".directory\n.Trash-*/**\nlost+found/**"},
    ExcludeGroup{"temp", "Temporary files",
                 "*.tmp\n*.temp\n*.swp\n*.swo\n*~\n.~lock.*\n*.part\n*.crdownload"},
    ExcludeGroup{
        "dev", "Build output and dependencies",
        "node_modules/**\n__pycache__/**\n*.pyc\n.venv/**\nvenv/**\ntarget/**\ndist/**\nbuild/**\n"
        ".next/**\n.gradle/**"},
    ExcludeGroup{"vcs", "Version control", ".git/**\n.svn/**\n.hg/**"},
    ExcludeGroup{"logs", "Logs and caches", "*.log\n*.log.[0-9]*\nlogs/**\ncache/**\n.cache/**"},
};

}  // namespace dbackup::host
