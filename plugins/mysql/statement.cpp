#include "statement.hpp"

#include <algorithm>
#include <array>
#include <dbackup/error.hpp>
#include <initializer_list>
#include <optional>
#include <vector>

#include "sql_tokens.hpp"

namespace dbackup::mysql {
namespace {

using Act = Verdict::Act;

std::string upper_case(std::string_view text) {
  std::string out{text};
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

bool is_any(const Token& token, std::initializer_list<const char*> words) {
  return std::any_of(words.begin(), words.end(), [&](const char* w) { return token.is_word(w); });
}

constexpr std::array kObjects{"TABLE",    "VIEW",  "TRIGGER",  "PROCEDURE",
                              "FUNCTION", "EVENT", "SEQUENCE", "PACKAGE"};

class Judge {
 public:
  Judge(std::string_view text, uint64_t line, const RestoreRules& rules)
      : text_{text}, line_{line}, rules_{rules}, reader_{text, rules.server, rules.quotes} {
    advance();
  }

  Verdict run() {
    if (token_.kind == Token::Kind::End) return skip();
    const std::string word = upper_case(token_.value);
    if (token_.kind != Token::Kind::Word) throw refused("is no SQL statement");
    advance();
    if (word == "INSERT" || word == "REPLACE") return insert();
    if (word == "SET") return set();
    if (word == "USE") return {.act = Act::Use, .name = take_plain_name()};
    if (word == "CREATE") return create();
    if (word == "DROP") return drop();
    if (word == "ALTER") return alter();
    if (word == "LOCK" || word == "UNLOCK") return skip();  // nobody else is where we work
    if (word == "START" || word == "BEGIN") return skip();
    // Dumps may turn autocommit off. In these words alone: COMMIT RELEASE would end the session.
    if (word == "COMMIT") return {.text = "COMMIT"};
    if (word == "CHANGE") return skip("it is about replication");
    if (word == "SELECT" || word == "DO") return set_sequence();
    throw refused("is a statement (" + word + ") that no dump of a database holds");
  }

 private:
  void advance() { token_ = reader_.next(); }
  bool take(const char* upper) {
    if (!token_.is_word(upper)) return false;
    advance();
    return true;
  }
  Error refused(const std::string& why) const {
    return Error{ErrorCode::InvalidArgument,
                 "line " + std::to_string(line_) + " of the backup " + why};
  }
  static Verdict skip(std::string note = "") { return {.act = Act::Skip, .note = std::move(note)}; }
  Verdict done(Verdict verdict) const {
    if (!edits_.empty()) verdict.text = edits_.apply(text_);
    return verdict;
  }

  std::string take_plain_name() {
    if (!token_.is_name()) throw refused("does not name what it is about");
    std::string out = token_.value;
    advance();
    return out;
  }

  /// A name that may have a database before it, which must be ours and goes.
  std::string take_name() {
    const Token first = token_;
    std::string name = take_plain_name();
    if (!token_.is_mark('.')) return name;
    advance();
    const size_t name_begin = token_.begin;
    const std::string inner = take_plain_name();
    const bool ours =
        (!rules_.original.empty() && name == rules_.original) || name == rules_.working;
    if (!ours) throw refused("is about another database, \"" + name + "\"");
    edits_.replace(first.begin, name_begin, "");
    return inner;
  }

  Verdict insert() {
    while (is_any(token_, {"LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY", "IGNORE", "INTO"}))
      advance();
    return done({.kind = "TABLE", .name = take_name(), .is_data = true});
  }

  Verdict set() {
    if (is_any(token_, {"PASSWORD", "ROLE", "DEFAULT", "STATEMENT"})) {
      throw refused("sets what no dump of a database sets");
    }
    for (; token_.kind != Token::Kind::End; advance()) {
      if (is_any(token_, {"GLOBAL", "PERSIST", "PERSIST_ONLY", "GTID_PURGED", "SQL_LOG_BIN"})) {
        return skip("it would set the whole server");
      }
    }
    return {.act = Act::Set};
  }

  void skip_definer() {
    const size_t begin = token_.begin;
    advance();
    if (!token_.is_mark('=')) throw refused("has a DEFINER that cannot be read");
    advance();
    size_t end = token_.end;
    advance();
    if (token_.is_mark('(')) {  // CURRENT_USER()
      advance();
      end = token_.end;
      advance();
    } else if (token_.is_mark('@')) {
      advance();
      end = token_.end;
      advance();
    }
    if (!rules_.keep_definers) edits_.replace(begin, end, "");
  }

  Verdict create() {
    while (true) {
      if (token_.is_word("DEFINER")) {
        skip_definer();
      } else if (take("ALGORITHM")) {
        advance();  // =
        advance();
      } else if (take("SQL")) {
        advance();  // SECURITY
        advance();
      } else if (!take("OR") && !take("REPLACE") && !take("AGGREGATE") && !take("TEMPORARY")) {
        break;
      }
    }
    if (is_any(token_, {"DATABASE", "SCHEMA"})) {
      advance();
      take_if_exists();
      return {.act = Act::CreateDatabase, .name = take_plain_name()};
    }
    Verdict out{.kind = take_kind()};
    take_if_exists();
    out.name = take_name();
    if (out.kind == "EVENT") out.act = Act::Event;
    if (out.kind == "TRIGGER") {
      advance();  // BEFORE
      advance();  // INSERT
      if (take("ON")) take_name();
    }
    if (out.kind == "FUNCTION") refuse_library();
    out = done(std::move(out));
    if ((out.kind == "VIEW" || out.kind == "TABLE") && !rules_.original.empty() &&
        text_.find(identifier(rules_.original) + ".") != std::string_view::npos) {
      out.text = without_qualifier(out.text.empty() ? text_ : out.text, rules_, rules_.original);
    }
    return out;
  }

  /// CREATE FUNCTION … SONAME loads code into the server.
  void refuse_library() {
    if (!token_.is_word("RETURNS")) return;
    for (int i = 0; i < 3; ++i, advance()) {
      if (token_.is_word("SONAME")) throw refused("would load a library into the server");
    }
  }

  std::string take_kind() {
    for (const char* kind : kObjects) {
      if (!take(kind)) continue;
      if (std::string_view{kind} == "PACKAGE") take("BODY");
      return kind;
    }
    throw refused("is about \"" + token_.value + "\", which is not part of a database's dump");
  }

  void take_if_exists() {
    if (!take("IF")) return;
    take("NOT");
    take("EXISTS");
  }

  Verdict drop() {
    take("TEMPORARY");
    if (is_any(token_, {"DATABASE", "SCHEMA"})) return skip();
    Verdict out{.kind = take_kind()};
    take_if_exists();
    out.name = take_name();
    while (token_.is_mark(',')) {
      advance();
      take_name();
    }
    if (out.kind == "EVENT") return skip();
    return done(std::move(out));
  }

  Verdict alter() {
    if (is_any(token_, {"DATABASE", "SCHEMA"})) {
      advance();
      const std::string quoted = identifier(rules_.working) + " ";
      if (is_any(token_, {"CHARACTER", "CHARSET", "DEFAULT", "COLLATE"})) {
        edits_.replace(token_.begin, token_.begin, quoted);  // the current one
      } else {
        const Token named = token_;
        const std::string name = take_plain_name();
        if (!rules_.original.empty() && name != rules_.original && name != rules_.working) {
          throw refused("changes another database, \"" + name + "\"");
        }
        edits_.replace(named.begin, named.end, quoted);
      }
      refuse_words({"UPGRADE", "ENCRYPTION", "READ"});
      return done({.act = Act::SetCollation});
    }
    Verdict out{.kind = take_kind()};
    if (out.kind != "TABLE" && out.kind != "SEQUENCE") {
      throw refused("alters a " + out.kind + ", which no dump does");
    }
    take_if_exists();
    out.name = take_name();
    refuse_words({"RENAME", "EXCHANGE", "DISCARD", "IMPORT"});
    return done(std::move(out));
  }

  void refuse_words(std::initializer_list<const char*> words) {
    for (; token_.kind != Token::Kind::End; advance()) {
      if (is_any(token_, words)) throw refused("must not contain " + upper_case(token_.value));
    }
  }

  /// SELECT SETVAL(`s`, 7, 0): how MariaDB's sequences get their value. Numbers and nothing else:
  /// what may follow a SELECT reads and writes files.
  Verdict set_sequence() {
    if (!take("SETVAL") || !token_.is_mark('(')) throw refused("asks instead of restoring");
    advance();
    Verdict out{.kind = "SEQUENCE", .name = take_name()};
    for (; !token_.is_mark(')'); advance()) {
      const bool is_number = token_.kind == Token::Kind::Word &&
                             token_.value.find_first_not_of("0123456789") == std::string::npos;
      if (!is_number && !token_.is_mark(',') && !token_.is_mark('-')) {
        throw refused("sets a sequence to what is no number");
      }
    }
    advance();
    if (token_.kind != Token::Kind::End) throw refused("asks instead of restoring");
    return done(std::move(out));
  }

  std::string_view text_;
  uint64_t line_;
  const RestoreRules& rules_;
  TokenReader reader_;
  Token token_;
  Edits edits_;
};

}  // namespace

Verdict judge(std::string_view text, uint64_t line, const RestoreRules& rules) {
  return Judge{text, line, rules}.run();
}

std::string without_qualifier(std::string_view text, const RestoreRules& rules,
                              std::string_view database) {
  TokenReader reader{text, rules.server, rules.quotes};
  Edits edits;
  std::array<Token, 6> last{};  // two before, database, dot, name, after
  for (size_t behind_end = 0; behind_end < last.size();) {
    std::rotate(last.begin(), last.begin() + 1, last.end());
    last[5] = reader.next();
    if (last[5].kind == Token::Kind::End) ++behind_end;
    const bool qualified = last[2].kind == Token::Kind::Name && last[2].value == database &&
                           !last[1].is_mark('.') && last[3].is_mark('.') && last[4].is_name();
    // "`shop`.`x`" alone may be a column of a table that is called like the database.
    const bool certain = last[5].is_mark('(') || last[5].is_mark('.') ||
                         is_any(last[1], {"FROM", "JOIN"}) ||
                         (last[1].is_mark('(') && is_any(last[0], {"NEXTVAL", "LASTVAL"}));
    if (qualified && certain) edits.replace(last[2].begin, last[4].begin, "");
  }
  return edits.apply(text);
}

}  // namespace dbackup::mysql
