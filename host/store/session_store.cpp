#include "store/session_store.hpp"

#include "store/columns.hpp"
#include "store/query.hpp"

namespace dbackup::host {
namespace {

std::vector<UserSession> select(Session& session, const std::string& where,
                                const std::string& value, const long long* after = nullptr) {
  UserSession row;
  long long remember = 0;
  long long expires_at = 0;
  long long created_at = 0;
  long long updated_at = 0;
  Query query{session,
              "SELECT id, token_hash, user_id, remember, expires_at, ip_address, user_agent, "
              "created_at, updated_at FROM user_sessions " +
                  where + " ORDER BY created_at DESC, id"};
  query.out(row.id).out(row.token_hash).out(row.user_id).out(remember).out(expires_at);
  query.out(row.ip_address).out(row.user_agent).out(created_at).out(updated_at).bind(value);
  if (after != nullptr) query.bind(*after);
  std::vector<UserSession> out;
  while (query.next()) {
    UserSession found = row;
    found.remember = remember != 0;
    found.expires_at = expires_at;
    found.created_at = created_at;
    found.updated_at = updated_at;
    out.push_back(std::move(found));
  }
  return out;
}

std::optional<UserSession> only(std::vector<UserSession> rows) {
  if (rows.empty()) return std::nullopt;
  return std::move(rows.front());
}

const char* name_of(TwoFactorKind kind) {
  return kind == TwoFactorKind::Device ? "device" : "challenge";
}

}  // namespace

std::optional<UserSession> SessionStore::find_by_hash(Session& session,
                                                      const std::string& token_hash) const {
  return only(select(session, "WHERE token_hash = :hash", token_hash));
}

std::optional<UserSession> SessionStore::find(Session& session, const std::string& id) const {
  return only(select(session, "WHERE id = :id", id));
}

std::vector<UserSession> SessionStore::list(Session& session, const std::string& user_id,
                                            TimeMs now) const {
  const long long at = now;
  return select(session, "WHERE user_id = :id AND expires_at > :now", user_id, &at);
}

void SessionStore::insert(Session& session, const UserSession& row) const {
  const long long remember = columns::flag(row.remember);
  const long long expires_at = row.expires_at;
  const long long created_at = row.created_at;
  const long long updated_at = row.updated_at;
  Query query{
      session,
      "INSERT INTO user_sessions (id, token_hash, user_id, remember, expires_at, ip_address, "
      "user_agent, created_at, updated_at) VALUES (:a, :b, :c, :d, :e, :f, :g, :h, :i)"};
  query.bind(row.id).bind(row.token_hash).bind(row.user_id).bind(remember).bind(expires_at);
  query.bind(row.ip_address).bind(row.user_agent).bind(created_at).bind(updated_at).run();
}

void SessionStore::extend(Session& session, const std::string& id, TimeMs expires_at,
                          TimeMs now) const {
  const long long until = expires_at;
  const long long at = now;
  Query{session, "UPDATE user_sessions SET expires_at = :e, updated_at = :u WHERE id = :id"}
      .bind(until)
      .bind(at)
      .bind(id)
      .run();
}

bool SessionStore::remove(Session& session, const std::string& id,
                          const std::string& user_id) const {
  return Query{session, "DELETE FROM user_sessions WHERE id = :id AND user_id = :user"}
             .bind(id)
             .bind(user_id)
             .run() > 0;
}

void SessionStore::remove_others(Session& session, const std::string& user_id,
                                 const std::string& kept) const {
  Query{session, "DELETE FROM user_sessions WHERE user_id = :user AND id <> :kept"}
      .bind(user_id)
      .bind(kept)
      .run();
}

void SessionStore::remove_expired(Session& session, TimeMs now) const {
  const long long at = now;
  Query{session, "DELETE FROM user_sessions WHERE expires_at <= :now"}.bind(at).run();
}

std::optional<TwoFactorToken> TwoFactorTokenStore::find(Session& session,
                                                        const std::string& token_hash) const {
  TwoFactorToken row;
  std::string kind;
  long long remember = 0;
  long long tries = 0;
  long long expires_at = 0;
  Query query{
      session,
      "SELECT token_hash, user_id, kind, remember, tries, expires_at FROM two_factor_tokens "
      "WHERE token_hash = :hash"};
  query.out(row.token_hash).out(row.user_id).out(kind).out(remember).out(tries).out(expires_at);
  query.bind(token_hash);
  if (!query.next()) return std::nullopt;
  TwoFactorToken found = row;
  found.kind = kind == "device" ? TwoFactorKind::Device : TwoFactorKind::Challenge;
  found.remember = remember != 0;
  found.tries = tries;
  found.expires_at = expires_at;
  return found;
}

void TwoFactorTokenStore::insert(Session& session, const TwoFactorToken& token) const {
  const std::string kind = name_of(token.kind);
  const long long remember = columns::flag(token.remember);
  const long long tries = token.tries;
  const long long expires_at = token.expires_at;
  Query query{
      session,
      "INSERT INTO two_factor_tokens (token_hash, user_id, kind, remember, tries, expires_at) "
      "VALUES (:a, :b, :c, :d, :e, :f)"};
  query.bind(token.token_hash).bind(token.user_id).bind(kind).bind(remember).bind(tries);
  query.bind(expires_at).run();
}

void TwoFactorTokenStore::set_tries(Session& session, const std::string& token_hash,
                                    int64_t tries) const {
  const long long count = tries;
  Query{session, "UPDATE two_factor_tokens SET tries = :n WHERE token_hash = :hash"}
      .bind(count)
      .bind(token_hash)
      .run();
}

void TwoFactorTokenStore::remove(Session& session, const std::string& token_hash) const {
  Query{session, "DELETE FROM two_factor_tokens WHERE token_hash = :hash"}.bind(token_hash).run();
}

void TwoFactorTokenStore::remove_of_user(Session& session, const std::string& user_id) const {
  Query{session, "DELETE FROM two_factor_tokens WHERE user_id = :id"}.bind(user_id).run();
}

void TwoFactorTokenStore::remove_expired(Session& session, TimeMs now) const {
  const long long at = now;
  Query{session, "DELETE FROM two_factor_tokens WHERE expires_at <= :now"}.bind(at).run();
}

}  // namespace dbackup::host
