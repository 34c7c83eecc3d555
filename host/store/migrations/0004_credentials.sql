-- Logins that adapters share. The payload is sealed; what is public of an SSH key is beside it.
CREATE TABLE credentials (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  type TEXT NOT NULL,
  description TEXT NOT NULL,
  sealed_data TEXT NOT NULL,
  public_key TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX adapter_configs_primary_credential ON adapter_configs (primary_credential_id);
CREATE INDEX adapter_configs_ssh_credential ON adapter_configs (ssh_credential_id);
