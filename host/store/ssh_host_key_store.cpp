#include "store/ssh_host_key_store.hpp"

#include "store/query.hpp"

namespace dbackup::host {
namespace {

constexpr const char* kColumns = "id, host, port, key_type, fingerprint, origin, created_at";

/// Reads the rows of a query that selects kColumns.
template <class Bind>
std::vector<KnownHostKey> rows(Session& session, const std::string& where, Bind&& bind) {
  KnownHostKey row;
  long long port = 0;
  long long at = 0;
  Query query{session, "SELECT " + std::string{kColumns} + " FROM ssh_host_keys " + where};
  query.out(row.id).out(row.host).out(port).out(row.type).out(row.fingerprint);
  query.out(row.origin).out(at);
  bind(query);
  std::vector<KnownHostKey> out;
  while (query.next()) {
    row.port = port;
    row.created_at = at;
    out.push_back(row);
  }
  return out;
}

std::optional<KnownHostKey> first(std::vector<KnownHostKey> found) {
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

void insert(Session& session, const KnownHostKey& key, const std::string& conflict) {
  const long long port = key.port;
  const long long at = key.created_at;
  Query query{session, "INSERT INTO ssh_host_keys (" + std::string{kColumns} +
                           ") VALUES (:a, :b, :c, :d, :e, :f, :g)" + conflict};
  query.bind(key.id).bind(key.host).bind(port).bind(key.type).bind(key.fingerprint);
  query.bind(key.origin).bind(at).run();
}

}  // namespace

std::vector<KnownHostKey> SshHostKeyStore::list(Session& session) const {
  return rows(session, "ORDER BY host, port", [](Query&) {});
}

std::optional<KnownHostKey> SshHostKeyStore::find(Session& session, const std::string& id) const {
  return first(rows(session, "WHERE id = :i", [&](Query& query) { query.bind(id); }));
}

std::optional<KnownHostKey> SshHostKeyStore::find(Session& session, const std::string& host,
                                                  int64_t port) const {
  const long long number = port;
  return first(rows(session, "WHERE host = :h AND port = :p",
                    [&](Query& query) { query.bind(host).bind(number); }));
}

void SshHostKeyStore::insert_first(Session& session, const KnownHostKey& key) const {
  insert(session, key, " ON CONFLICT (host, port) DO NOTHING");
}

void SshHostKeyStore::replace(Session& session, const KnownHostKey& key) const {
  const long long port = key.port;
  Query{session, "DELETE FROM ssh_host_keys WHERE host = :h AND port = :p"}
      .bind(key.host)
      .bind(port)
      .run();
  insert(session, key, "");
}

bool SshHostKeyStore::remove(Session& session, const std::string& id) const {
  return Query{session, "DELETE FROM ssh_host_keys WHERE id = :i"}.bind(id).run() > 0;
}

}  // namespace dbackup::host
