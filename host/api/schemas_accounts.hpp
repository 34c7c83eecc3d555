#pragma once

#include "api/schema.hpp"

/// Schemas of signing in, users, groups and API keys.
namespace dbackup::host::schemas {

Json sign_up();
Json sign_in();
Json sign_in_answer();
Json user_with_token();
Json user_session();  ///< or null
Json session_list();
Json revoke_session();
Json change_password();
Json update_account();
Json password_body();
Json two_factor_setup();
Json backup_codes();
Json totp_uri_answer();
Json code_body();
Json status_answer();
Json ok_answer();
Json linked_accounts();
Json unlink_account();
Json auth_error_query();
Json sso_callback_query();
Json sso_options();
Json sso_links();

Json users();
Json user_answer();
Json user_create();
Json user_update();
Json user_group_body();
Json enabled_body();
Json bulk_delete();
Json own_password();
Json preferences();
Json preferences_update();
Json avatar_form();
Json avatar_answer();
Json caller();

Json groups();
Json group_answer();
Json group_create();
Json group_update();

Json api_key_answer();
Json api_keys();
Json api_key_create();
Json api_key_update();
Json api_key_created();
Json api_keys_bulk();

}  // namespace dbackup::host::schemas
