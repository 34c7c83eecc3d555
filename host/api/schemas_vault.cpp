#include "api/schemas_vault.hpp"

#include "api/bulk_body.hpp"
#include "model/credential.hpp"

namespace dbackup::host::schemas {

using namespace schema;

namespace {

Json credential_type() {
  Json names = Json::array();
  for (const auto& type : kCredentialTypes) names.push_back(type.id);
  return {{"type", "string"}, {"enum", std::move(names)}};
}

Json credential() {
  return titled(
      "CredentialProfile",
      object({required("id", text()), required("name", text()), required("type", credential_type()),
              required("description", nullable(text())), required("createdAt", date()),
              required("updatedAt", date()), required("secretStatus", map_of(flag())),
              optional("publicKey", described(text(), "of an SSH key, for authorized_keys")),
              optional("fingerprint", text()), optional("usageCount", integer())}));
}

Json payload() {
  return described(any_object(),
                   "what the type holds; for SSH_KEY also \"generate\": {keyType, "
                   "comment, passphrase} instead of privateKey");
}

Json profile() {
  return titled("EncryptionProfile",
                object({required("id", text()), required("name", text()),
                        required("description", nullable(text())), required("createdAt", date()),
                        required("updatedAt", date()), required("recipients", list_of(text())),
                        required("writeOnly", flag()),
                        required("readOnly", described(flag(),
                                                       "an imported key: reads old backups, "
                                                       "never makes new ones")),
                        required("jobCount", integer())}));
}

Json identity() { return described(text(1, 200), "an age identity, instead of keyHex"); }
Json key_hex() { return described(text(64, 64), "64 hexadecimal digits"); }

}  // namespace

Json credentials_query() {
  return object({optional("type", text()), optional("includeCounts", flag())});
}
Json credential_list() { return wrapped(list_of(credential())); }
Json credential_answer() { return wrapped(credential()); }
Json credential_create() {
  return object({required("name", text(1, 100)), required("type", credential_type()),
                 optional("description", nullable(text(0, 500))), required("data", payload())});
}
Json credential_update() {
  return object({optional("name", text(1, 100)), optional("description", nullable(text(0, 500))),
                 optional("data", payload())});
}
Json credential_usage() {
  return wrapped(object(
      {required("count", integer()),
       required("references",
                list_of(object({required("adapterId", described(text(), "id of the configuration")),
                                required("name", text()),
                                required("type", described(text(), "kind of the adapter")),
                                required("slot", one_of({"primary", "ssh"}))})))}));
}
Json credential_revealed() {
  return wrapped(
      object({required("id", text()), required("name", text()), required("type", credential_type()),
              required("payload", map_of(text()))}));
}
Json credentials_bulk() { return bulk_request({"delete"}); }

Json profile_answer() { return wrapped(profile()); }
Json profiles() { return wrapped(list_of(profile())); }
Json profile_create() {
  return object(
      {required("name", text(1, 100)), optional("description", nullable(text(0, 500))),
       optional("recipients",
                described(list_of(text()), "age1…: escrow keys, or all keys when writeOnly")),
       optional("writeOnly", described(flag(), "the server can seal with it and never open"))});
}
Json profile_import() {
  return object({required("name", text(1, 100)), optional("description", nullable(text(0, 500))),
                 optional("keyHex", key_hex()), optional("identity", identity())});
}
Json profile_update() {
  return object({optional("name", text(1, 100)), optional("description", nullable(text(0, 500)))});
}
Json profile_revealed() {
  return wrapped(object({required("keyHex", key_hex()),
                         optional("identity", described(text(), "an age identity, for age -i"))}));
}
Json profile_recover() {
  return object({required("storageId", text(1, 100)), required("file", text(1, 4096)),
                 optional("keyHex", key_hex()), optional("identity", identity()),
                 optional("name", text(1, 100))});
}
Json profile_recovered() {
  return wrapped(object({required("status", one_of({"imported", "existing"})),
                         required("profileId", text()), required("profileName", text())}));
}
Json profiles_bulk() { return bulk_request({"delete"}); }
Json profile_removal_query() {
  return object({optional("force", described(flag(), "retire a profile that is in use")),
                 optional("purge", described(flag(), "erase its keys; needs name")),
                 optional("name", described(text(), "the profile's name, as a confirmation"))});
}
Json kits_query() {
  return object({required("ids", described(text(), "ids of profiles, joined by commas"))});
}

}  // namespace dbackup::host::schemas
