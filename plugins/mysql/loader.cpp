#include "loader.hpp"

#include <algorithm>
#include <array>

#include "sql_tokens.hpp"

namespace dbackup::mysql {
namespace {

constexpr size_t kLeastPacket = size_t{1} << 20;
constexpr size_t kMostPacket = size_t{1} << 30;

/// In these a '\' or a quote can be the second byte of a character.
constexpr std::array<std::string_view, 5> kTrickyCharsets{"big5", "cp932", "gbk", "sjis",
                                                          "gb18030"};

bool contains_word(std::string_view list, std::string_view word) {
  const std::string commas = "," + std::string{list} + ",";
  return commas.find("," + std::string{word} + ",") != std::string::npos;
}

/// Does a statement have `database` before a dot, in whatever quotes, and not behind one?
bool names_database(std::string_view sql, const std::string& database,
                    const RestoreRules& rules) {
  TokenReader reader{sql, rules.server, rules.quotes};
  bool is_behind_dot = false;
  for (Token token = reader.next(); token.kind != Token::Kind::End;) {
    const bool is_it = !is_behind_dot && token.is_name() && token.value == database;
    is_behind_dot = token.is_mark('.');
    token = reader.next();
    if (is_it && token.is_mark('.')) return true;
  }
  return false;
}

std::string at_line(uint64_t line) { return "line " + std::to_string(line) + " of the backup"; }

}  // namespace

Loader::Loader(const Call& call, Connection& server, LoadOptions options)
    : call_{call},
      server_{server},
      rules_{.server = server.version(),
             .quotes = {},
             .original = std::move(options.original),
             .working = std::move(options.working),
             .keep_definers = options.keep_definers},
      target_{std::move(options.target)} {
  server_.execute("USE " + identifier(rules_.working));
  server_.execute(
      "SET SESSION foreign_key_checks = 0, unique_checks = 0, wait_timeout = 86400,"
      " net_read_timeout = 86400, net_write_timeout = 86400");
}

void Loader::run(Reader& in) {
  const std::string packet = server_.value("SELECT @@max_allowed_packet");
  const size_t most =
      std::clamp<size_t>(std::strtoull(packet.c_str(), nullptr, 10), kLeastPacket, kMostPacket);
  uint64_t done = 0;
  SqlScanner scanner{[&](std::span<char> buffer) {
                       call_.check_cancelled();
                       const size_t n = in.read(std::as_writable_bytes(buffer));
                       done += n;
                       call_.progress(done, 0);
                       return n;
                     },
                     most};
  scanner_ = &scanner;
  ScannedStatement statement;
  while (scanner.next(statement)) take(statement);
  scanner_ = nullptr;
  server_.execute("COMMIT");  // a dump that turned autocommit off may end without it
  if (scanner.has_head() && !scanner.has_tail()) {
    throw Error{ErrorCode::DataLoss, "the backup ends at line " + std::to_string(scanner.line()) +
                                         ", before the dump was complete"};
  }
  if (left_out_.empty()) return;
  std::string others;
  for (const std::string& name : left_out_)
    others += (others.empty() ? "\"" : ", \"") + name + "\"";
  if (!has_own_) {
    throw Error{ErrorCode::NotFound,
                "the backup holds no database \"" + rules_.original + "\", only " + others};
  }
  call_.warning("the backup also holds " + others + ", which was left out");
}

void Loader::take(const ScannedStatement& statement) {
  if (rules_.original.empty()) rules_.original = scanner_->head_database();
  Verdict verdict;
  if (is_elsewhere_) {
    // Only what turns back to ours, and what changes how the rest is read.
    RestoreRules any = rules_;
    try {
      verdict = judge(statement.text, statement.line, any);
    } catch (const Error&) {
      return;
    }
    if (verdict.act != Verdict::Act::Use && verdict.act != Verdict::Act::Set) return;
  } else {
    verdict = judge(statement.text, statement.line, rules_);
  }
  switch (verdict.act) {
    case Verdict::Act::Skip:
      if (!verdict.note.empty() && notes_.insert(verdict.note).second) {
        call_.warning(at_line(statement.line) + " was left out: " + verdict.note);
      }
      return;
    case Verdict::Act::Use:
    case Verdict::Act::CreateDatabase:
      turn_to(verdict.name);
      return;
    case Verdict::Act::Event:
      note_other_names(verdict, statement.text);
      add_event(verdict, statement);
      return;
    case Verdict::Act::Set:
      run_sql(verdict, statement);
      read_rules(statement.line);
      return;
    case Verdict::Act::SetCollation:
      sets_collation_ = true;
      run_sql(verdict, statement);
      return;
    case Verdict::Act::Run:
      note_other_names(verdict, statement.text);
      run_sql(verdict, statement);
      return;
  }
}

void Loader::turn_to(const std::string& database) {
  if (rules_.original.empty()) rules_.original = database;
  is_elsewhere_ = database != rules_.original;
  if (is_elsewhere_) {
    left_out_.insert(database);
  } else {
    has_own_ = true;
  }
}

void Loader::run_sql(const Verdict& verdict, const ScannedStatement& statement) {
  try {
    server_.execute(verdict.text.empty() ? statement.text : std::string_view{verdict.text});
  } catch (const ServerError& error) {
    const std::string object =
        verdict.name.empty() ? "" : " (" + lower_case(verdict.kind) + " \"" + verdict.name + "\")";
    throw Error{error.code(), at_line(statement.line) + object + ": " + error.what(),
                error.detail()};
  }
  // A value that had to be bent to fit is worth a word, once per table.
  if (verdict.kind != "TABLE" || !verdict.is_data || server_.warning_count() == 0) return;
  const unsigned count = server_.warning_count();
  if (!notes_.insert("rows of " + verdict.name).second) return;
  const auto said = server_.query("SHOW WARNINGS LIMIT 1");
  const std::string words = said.empty() ? "" : said.front().at(2).value_or("");
  call_.warning(at_line(statement.line) + " (table \"" + verdict.name + "\"): the server gave " +
                std::to_string(count) + " warnings, the first: " + words);
}

void Loader::add_event(const Verdict& verdict, const ScannedStatement& statement) {
  const std::string sql = verdict.text.empty() ? std::string{statement.text} : verdict.text;
  events_.push_back({.kind = "EVENT",
                     .name = verdict.name,
                     .table = "",
                     .definer = "",
                     .create = {.sql = sql,
                                .settings = session_settings(server_),
                                .collation = server_.value("SELECT @@collation_database")}});
}

void Loader::read_rules(uint64_t line) {
  const auto rows = server_.query("SELECT @@sql_mode, @@character_set_client");
  const std::string mode = rows.at(0).at(0).value_or("");
  const std::string charset = rows.at(0).at(1).value_or("");
  if (std::find(kTrickyCharsets.begin(), kTrickyCharsets.end(), charset) != kTrickyCharsets.end()) {
    throw Error{ErrorCode::Unimplemented, at_line(line) + " turns to the character set " + charset +
                                              ", which cannot be restored; dump in utf8mb4"};
  }
  rules_.quotes = {.plain_backslash = server_.plain_backslash(),
                   .ansi_quotes = contains_word(mode, "ANSI_QUOTES")};
  scanner_->set_rules(rules_.quotes);
}

/// Under a new name, what was written with the old one still means the old one.
void Loader::note_other_names(const Verdict& verdict, std::string_view text) {
  const std::string& old = rules_.original;
  if (verdict.kind == "TABLE" || verdict.kind == "SEQUENCE" || old.empty() || old == target_) return;
  if (!names_database(verdict.text.empty() ? text : verdict.text, old, rules_)) return;
  call_.warning("the " + lower_case(verdict.kind) + " \"" + verdict.name + "\" names database \"" +
                rules_.original + "\" itself, and will go on using it");
}

}  // namespace dbackup::mysql
