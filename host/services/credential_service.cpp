#include "services/credential_service.hpp"

#include "base/error.hpp"
#include "base/id.hpp"
#include "base/logging.hpp"
#include "control/control_plane.hpp"
#include "control/credential_overlay.hpp"
#include "crypto/ssh_key.hpp"
#include "services/adapter_fields.hpp"
#include "services/audit_log.hpp"
#include "services/credential_references.hpp"
#include "services/redaction.hpp"
#include "store/before_write.hpp"

namespace dbackup::host {
namespace {

[[noreturn]] void refuse_field(std::string_view field, const std::string& why) {
  throw Error(ErrorCode::InvalidArgument, "\"data." + std::string{field} + "\" " + why);
}

std::string text_of(const Json& object, const char* key) {
  return get_string(object, key).value_or("");
}

bool is_web_address(const std::string& text) {
  return (text.starts_with("http://") && text.size() > 7) ||
         (text.starts_with("https://") && text.size() > 8);
}

/// What an SSH login needs beyond its fields' types.
void check_ssh(const Json& payload) {
  const std::string type = text_of(payload, "authType");
  if (type != "password" && type != "privateKey" && type != "agent")
    refuse_field("authType", "must be one of: password, privateKey, agent");
  if (type == "password" && text_of(payload, "password").empty())
    refuse_field("password", "is required for authType password");
  if (type == "privateKey" && text_of(payload, "privateKey").empty())
    refuse_field("privateKey", "is required for authType privateKey, unless one is generated");
}

/// The payload with a new key in place of the wish for one. `comment` becomes that of the public
/// half.
Json with_generated_key(const Json& data, std::string& comment) {
  if (!data.contains("generate") || data["generate"].is_null()) return data;
  const Json& wish = data["generate"];
  if (!wish.is_object()) refuse_field("generate", "must be an object");
  comment = text_of(wish, "comment");
  if (comment.size() > 120 || comment.find_first_of("\r\n") != std::string::npos)
    refuse_field("generate.comment", "must have at most 120 characters, in one line");
  const std::string passphrase = text_of(wish, "passphrase");
  Json out = data;
  out.erase("generate");
  out["authType"] = "privateKey";
  out["privateKey"] =
      std::string{generate_ssh_key(text_of(wish, "keyType"), SecretString{passphrase}).reveal()};
  out["passphrase"] = passphrase;
  return out;
}

Json checked_payload(const CredentialType& type, const Json& data) {
  Json out = Json::object();
  for (const CredentialField& field : type.fields) {
    const auto found = data.find(field.name);
    if (found == data.end() || found->is_null()) {
      if (field.required) refuse_field(field.name, "is required");
      continue;
    }
    if (!found->is_string()) refuse_field(field.name, "must be a text");
    const auto& text = found->get_ref<const std::string&>();
    if (field.required && text.empty()) refuse_field(field.name, "must not be empty");
    if (text.size() > 65536) refuse_field(field.name, "is too long");
    if (!text.empty()) out[std::string{field.name}] = text;
  }
  if (type.id == "SSH_KEY") check_ssh(out);
  if (type.id == "WEBHOOK" && !is_web_address(text_of(out, "url")))
    refuse_field("url", "must be an http or https address");
  return out;
}

Credential found(Session& session, const std::string& id) {
  auto row = CredentialStore{}.find(session, id);
  if (!row) throw Error(ErrorCode::NotFound, "credential profile not found");
  return std::move(*row);
}

void refuse_taken_name(Session& session, const Credential& row) {
  const auto other = CredentialStore{}.find_by_name(session, row.name);
  if (other && other->id != row.id) {
    throw Error(ErrorCode::AlreadyExists,
                "a credential profile named \"" + row.name + "\" already exists");
  }
}

Json summary(const Credential& row) { return {{"name", row.name}, {"type", row.type}}; }

}  // namespace

Json credential_references(const std::vector<CredentialUse>& uses) {
  Json out = Json::array();
  for (const auto& use : uses) {
    out.push_back({{"adapterId", use.config_id},
                   {"name", use.name},
                   {"type", use.adapter_id},
                   {"slot", use.is_ssh_slot ? "ssh" : "primary"}});
  }
  return out;
}

void CredentialService::apply_payload(Credential& row, const Json& data) const {
  const CredentialType* type = find_credential_type(row.type);
  if (type == nullptr) throw Error(ErrorCode::InvalidArgument, "\"type\" is unknown");
  if (!data.is_object()) throw Error(ErrorCode::InvalidArgument, "\"data\" must be an object");
  std::string comment;
  const Json wanted = type->id == "SSH_KEY" ? with_generated_key(data, comment) : data;
  const Json payload = checked_payload(*type, wanted);
  row.sealed_data = seal_credential(control_.context().box, row.id, payload);
  row.public_key.clear();
  row.fingerprint.clear();
  if (!payload.contains("privateKey")) return;
  const auto key = ssh_public_key(SecretString{text_of(payload, "privateKey")},
                                  SecretString{text_of(payload, "passphrase")}, comment);
  if (!key) return;
  row.public_key = key->line;
  row.fingerprint = key->fingerprint;
}

CredentialView CredentialService::view(Session& session, const Credential& row) const {
  CredentialView out{.row = row};
  out.usage_count = static_cast<int64_t>(CredentialStore{}.uses(session, row.id).size());
  try {
    const Json payload = open_credential(control_.context().box, row);
    const CredentialType* type = find_credential_type(row.type);
    for (const CredentialField& field :
         type != nullptr ? type->fields : std::span<const CredentialField>{}) {
      const std::string name{field.name};
      if (is_secret_name(name, nullptr)) out.secret_status[name] = payload.contains(name);
    }
  } catch (const Error& error) {
    log_warning("credential \"" + row.id + "\" cannot be opened: " + error.what());
  }
  return out;
}

std::vector<CredentialView> CredentialService::list(const std::string& type) {
  std::vector<CredentialView> out;
  control_.context().database.read([&](Session& session) {
    const bool is_known = find_credential_type(type) != nullptr;
    for (const Credential& row : CredentialStore{}.list(session, is_known ? type : ""))
      out.push_back(view(session, row));
  });
  return out;
}

CredentialView CredentialService::get(const std::string& id) {
  CredentialView out;
  control_.context().database.read(
      [&](Session& session) { out = view(session, found(session, id)); });
  return out;
}

CredentialView CredentialService::create(const Principal& who, const Json& fields) {
  Credential row{
      .id = new_uuid(), .name = checked_name(fields), .type = require_string(fields, "type")};
  row.description = text_of(fields, "description");
  row.created_at = row.updated_at = control_.context().clock.now_ms();
  apply_payload(row, fields.contains("data") ? fields["data"] : Json{});
  CredentialView out;
  control_.context().database.write([&](Session& session) {
    refuse_taken_name(session, row);
    CredentialStore{}.insert(session, row);
    audit_.write(session, who, AuditAction::Create, AuditResource::Credential, row.id,
                 summary(row));
    out = view(session, row);
  });
  return out;
}

CredentialView CredentialService::update(const Principal& who, const std::string& id,
                                         const Json& fields) {
  Credential row;
  control_.context().database.read([&](Session& session) { row = found(session, id); });
  const TimeMs seen = row.updated_at;
  if (fields.contains("name")) row.name = checked_name(fields);
  if (fields.contains("description")) row.description = text_of(fields, "description");
  if (fields.contains("data")) apply_payload(row, fields["data"]);
  row.updated_at = std::max(control_.context().clock.now_ms(), seen + 1);
  CredentialView out;
  control_.context().database.write([&](Session& session) {
    if (found(session, id).updated_at != seen)
      throw Error(ErrorCode::Aborted,
                  "the credential was changed by somebody else at the same time");
    refuse_taken_name(session, row);
    CredentialStore{}.update(session, row);
    Json details = summary(row);
    for (const auto& [name, value] : fields.items()) details["changed"].push_back(name);
    audit_.write(session, who, AuditAction::Update, AuditResource::Credential, id, details);
    out = view(session, row);
  });
  return out;
}

void CredentialService::remove(const Principal& who, const std::string& id) {
  control_.context().database.write([&](Session& session) {
    lock_name_in_transaction(session, "credentials");
    const Credential row = found(session, id);
    std::string users;
    const auto uses = CredentialStore{}.uses(session, id);
    for (const auto& use : uses) users += (users.empty() ? "\"" : ", \"") + use.name + "\"";
    if (!users.empty()) {
      throw Error(ErrorCode::FailedPrecondition, "the credential is used by the adapters " + users,
                  dump_json(credential_references(uses)), "references");
    }
    CredentialStore{}.remove(session, id);
    audit_.write(session, who, AuditAction::Delete, AuditResource::Credential, id, summary(row));
  });
}

BulkOutcome CredentialService::remove_all(const Principal& who,
                                          const std::vector<std::string>& ids) {
  const BulkOutcome outcome = run_bulk(
      ids, [&](const std::string& id) { remove(who, id); },
      [&](const std::string& id) { return get(id).row.name; });
  audit_.write(who, AuditAction::Delete, AuditResource::Credential, "",
               bulk_audit("delete", outcome));
  return outcome;
}

std::vector<CredentialUse> CredentialService::usage(const std::string& id) {
  std::vector<CredentialUse> out;
  control_.context().database.read([&](Session& session) {
    found(session, id);
    out = CredentialStore{}.uses(session, id);
  });
  return out;
}

Json CredentialService::reveal(const Principal& who, const std::string& id, Credential& row) {
  audit_.write(who, AuditAction::Export, AuditResource::Credential, id);
  control_.context().database.read([&](Session& session) { row = found(session, id); });
  return open_credential(control_.context().box, row);
}

}  // namespace dbackup::host
