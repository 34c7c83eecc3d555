#include "base/settings.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <set>

#include "base/error.hpp"
#include "base/settings_table.hpp"

extern char** environ;  // NOLINT: POSIX declares it nowhere

namespace dbackup::host {
namespace {

std::string environment_name(std::string_view key) {
  std::string name = "DBACKUP_";
  for (const char c : key) name += c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const size_t end = text.find(separator);
    if (end != 0) out.emplace_back(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  }
  return out;
}

std::string expectation(const SettingRow& row) {
  switch (row.type) {
    case SettingType::Integer:
      return "an integer from " + std::to_string(row.minimum) + " to " + std::to_string(row.maximum);
    case SettingType::Boolean:
      return "true or false";
    case SettingType::Choice: {
      std::string all;
      for (const auto& choice : split(row.choices, '|')) all += (all.empty() ? "" : ", ") + choice;
      return "one of: " + all;
    }
    case SettingType::List:
      return "a list of strings";
    case SettingType::Text:
      if (row.maximum > 0) return "a string of at most " + std::to_string(row.maximum) + " bytes";
      return "a string";
    default:
      return "a string";
  }
}

bool fits(const SettingRow& row, const std::string& text) {
  switch (row.type) {
    case SettingType::Integer: {
      long long number = 0;
      const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
      return status == std::errc{} && end == text.data() + text.size() && number >= row.minimum &&
             number <= row.maximum;
    }
    case SettingType::Boolean:
      return text == "true" || text == "false";
    case SettingType::Choice: {
      const auto choices = split(row.choices, '|');
      return std::find(choices.begin(), choices.end(), text) != choices.end();
    }
    case SettingType::Text:
      return row.maximum == 0 || text.size() <= static_cast<size_t>(row.maximum);
    default:
      return true;
  }
}

/// Reads the YAML file; every message names file and line.
class FileReader {
 public:
  FileReader(std::string file, std::function<void(const SettingRow&, const std::string&)> found)
      : file_{std::move(file)}, found_{std::move(found)} {}

  void read() {
    if (!std::ifstream{file_}) {
      throw Error(ErrorCode::NotFound, "cannot read the configuration file \"" + file_ + "\"");
    }
    YAML::Node root;
    try {
      root = YAML::LoadFile(file_);
    } catch (const YAML::Exception& error) {
      fail(error.mark, "not valid YAML: " + error.msg);
    }
    if (root.IsNull()) return;
    if (!root.IsMap()) fail(root.Mark(), "expected sections like \"server:\"");
    read_map(root, "");
  }

 private:
  [[noreturn]] void fail(const YAML::Mark& mark, const std::string& text) const {
    throw Error(ErrorCode::InvalidArgument,
                file_ + ":" + std::to_string(mark.line + 1) + ": " + text);
  }

  static bool is_section(const std::string& key) {
    return std::any_of(settings_table().begin(), settings_table().end(),
                       [&](const SettingRow& row) { return row.key.starts_with(key + "."); });
  }

  void read_map(const YAML::Node& map, const std::string& prefix) {
    std::set<std::string> seen;  // the library keeps the first of a repeated key, silently
    for (const auto& entry : map) {
      if (!entry.first.IsScalar()) fail(entry.first.Mark(), "a key must be a word");
      const std::string key = prefix + entry.first.Scalar();
      if (!seen.insert(key).second) fail(entry.first.Mark(), "\"" + key + "\" is given twice");
      if (is_section(key)) {
        if (entry.second.IsNull()) continue;
        if (!entry.second.IsMap()) fail(entry.second.Mark(), "\"" + key + "\" must hold settings");
        read_map(entry.second, key + ".");
      } else {
        read_value(entry.first.Mark(), key, entry.second);
      }
    }
  }

  void read_value(const YAML::Mark& mark, const std::string& key, const YAML::Node& node) {
    const SettingRow* row = find_setting(key);
    if (row == nullptr) fail(mark, "unknown key \"" + key + "\"" + suggestion(key));
    std::string text;
    bool is_good = true;
    if (row->type == SettingType::List && node.IsSequence()) {
      for (const auto& item : node) {
        is_good = is_good && item.IsScalar() && item.Scalar().find(':') == std::string::npos;
        text += (text.empty() ? "" : ":") + item.Scalar();
      }
    } else if (node.IsNull()) {
      is_good = row->type != SettingType::Integer && row->type != SettingType::Boolean &&
                row->type != SettingType::Choice;
    } else {
      is_good = node.IsScalar();
      text = is_good ? node.Scalar() : "";
    }
    if (!is_good || !fits(*row, text)) {
      fail(mark, "\"" + key + "\" must be " + expectation(*row));
    }
    found_(*row, text);
  }

  static std::string suggestion(const std::string& key) {
    for (const auto& row : settings_table()) {
      const auto last = row.key.substr(row.key.rfind('.') + 1);
      if (key.substr(key.rfind('.') + 1) == last) return ": did you mean \"" + std::string(row.key) + "\"?";
    }
    return ": see config/dbackup.yaml for every key";
  }

  std::string file_;
  std::function<void(const SettingRow&, const std::string&)> found_;
};

}  // namespace

Settings Settings::load(const SettingSources& sources,
                        const std::function<void(const std::string&)>& warn) {
  Settings out;
  for (const auto& row : settings_table()) out.values_[std::string(row.key)] = {std::string(row.fallback)};
  if (!sources.file.empty()) {
    FileReader{sources.file, [&](const SettingRow& row, const std::string& text) {
                 out.values_[std::string(row.key)] = {text, SettingOrigin::File};
               }}.read();
  }
  std::set<std::string> known{"DBACKUP_CONFIG"};
  for (const auto& row : settings_table()) {
    const std::string name = environment_name(row.key);
    known.insert(name);
    const auto found = sources.environment.find(name);
    if (found == sources.environment.end()) continue;
    if (!fits(row, found->second)) {
      throw Error(ErrorCode::InvalidArgument, name + " must be " + expectation(row));
    }
    out.values_[std::string(row.key)] = {found->second, SettingOrigin::Environment};
  }
  for (const auto& [name, text] : sources.environment) {
    if (name.starts_with("DBACKUP_") && !known.contains(name) && warn) {
      warn("unknown environment variable " + name + " is ignored");
    }
  }
  return out;
}

const Settings::Value& Settings::value(std::string_view key) const {
  const auto found = values_.find(key);
  if (found == values_.end()) {
    throw Error(ErrorCode::Internal, "no setting \"" + std::string(key) + "\"");
  }
  return found->second;
}

std::string Settings::text(std::string_view key) const { return value(key).text; }

long long Settings::integer(std::string_view key) const {
  const std::string& text = value(key).text;
  long long number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);  // checked when it came in
  return number;
}

bool Settings::flag(std::string_view key) const { return value(key).text == "true"; }
std::vector<std::string> Settings::list(std::string_view key) const { return split(value(key).text, ':'); }
SettingOrigin Settings::origin(std::string_view key) const { return value(key).origin; }

void Settings::set_stored(const std::string& stored_key, const std::string& text) {
  for (const auto& row : settings_table()) {
    if (row.stored_key.empty() || row.stored_key != stored_key) continue;
    if (!fits(row, text)) {
      throw Error(ErrorCode::InvalidArgument, "\"" + stored_key + "\" must be " + expectation(row));
    }
    Value& current = values_[std::string(row.key)];
    if (current.origin <= SettingOrigin::Stored) current = {text, SettingOrigin::Stored};
  }
}

void Settings::forget_stored(const std::string& stored_key) {
  for (const auto& row : settings_table()) {
    if (row.stored_key.empty() || row.stored_key != stored_key) continue;
    Value& current = values_[std::string(row.key)];
    if (current.origin == SettingOrigin::Stored) current = {std::string(row.fallback)};
  }
}

std::map<std::string, std::string> dbackup_environment() {
  std::map<std::string, std::string> out;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text{*entry};
    const size_t equals = text.find('=');
    if (text.starts_with("DBACKUP_") && equals != std::string_view::npos) {
      out.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
  }
  return out;
}

std::string render_default_yaml() {
  std::string out =
      "# DBackup: every setting with its default and its reason. Uncomment what you change.\n"
      "# An environment variable DBACKUP_<SECTION>_<KEY> wins over this file; this file wins over what is\n"
      "# stored through the API. An unknown key or a bad value stops the start, naming the line.\n";
  std::string section;
  for (const auto& row : settings_table()) {
    const size_t dot = row.key.find('.');
    const std::string here{row.key.substr(0, dot)};
    if (here != section) out += "\n" + here + ":\n";
    section = here;
    std::string line = "  #";
    for (const auto& word : split(row.help, ' ')) {
      if (line.size() + word.size() + 1 > 100) {
        out += line + "\n";
        line = "  #";
      }
      line += " " + word;
    }
    const std::string name{row.key.substr(dot + 1)};
    const bool is_bare = row.type == SettingType::Integer || row.type == SettingType::Boolean || row.type == SettingType::Choice;
    const std::string text = row.type == SettingType::List ? "[]" : is_bare ? std::string(row.fallback) : "\"" + std::string(row.fallback) + "\"";
    out += line + "\n  # " + name + ": " + text + "\n";
  }
  return out;
}

}  // namespace dbackup::host
