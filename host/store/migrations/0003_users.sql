-- People, what they may do, and how they sign in. Tokens are kept as SHA-256, passwords as argon2id,
-- the secret of the second factor sealed.
CREATE TABLE user_groups (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  permissions TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);

CREATE TABLE users (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  email TEXT NOT NULL UNIQUE,
  image TEXT NOT NULL,
  password_hash TEXT NOT NULL,
  group_id TEXT REFERENCES user_groups (id) ON DELETE SET NULL,
  timezone TEXT NOT NULL,
  date_format TEXT NOT NULL,
  time_format TEXT NOT NULL,
  passkey_two_factor BIGINT NOT NULL,
  auto_redirect BIGINT NOT NULL,
  two_factor_enabled BIGINT NOT NULL,
  sealed_totp_secret TEXT NOT NULL,
  backup_codes TEXT NOT NULL,
  last_totp_step BIGINT NOT NULL,
  failed_codes BIGINT NOT NULL,
  locked_until BIGINT NOT NULL,
  last_login_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX users_group ON users (group_id);

CREATE TABLE user_sessions (
  id TEXT PRIMARY KEY,
  token_hash TEXT NOT NULL UNIQUE,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  remember BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  ip_address TEXT NOT NULL,
  user_agent TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX user_sessions_user ON user_sessions (user_id);
CREATE INDEX user_sessions_expiry ON user_sessions (expires_at);

-- kind: "challenge" (a password was right, the second factor is due) or "device" (trusted for a while).
CREATE TABLE two_factor_tokens (
  token_hash TEXT PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  remember BIGINT NOT NULL,
  tries BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX two_factor_tokens_expiry ON two_factor_tokens (expires_at);

CREATE TABLE avatars (
  user_id TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  file_name TEXT NOT NULL UNIQUE,
  content_type TEXT NOT NULL,
  data TEXT NOT NULL
);

CREATE INDEX api_keys_user ON api_keys (user_id);
