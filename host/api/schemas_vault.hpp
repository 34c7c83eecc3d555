#pragma once

#include "api/schema.hpp"

/// Schemas of credentials and encryption profiles.
namespace dbackup::host::schemas {

Json credentials_query();
Json credential_list();
Json credential_answer();
Json credential_create();
Json credential_update();
Json credential_usage();
Json credential_revealed();
Json credentials_bulk();

Json profile_answer();
Json profiles();
Json profile_create();
Json profile_import();
Json profile_update();
Json profile_revealed();
Json profile_recover();
Json profile_recovered();
Json profiles_bulk();
Json profile_removal_query();
Json kits_query();

}  // namespace dbackup::host::schemas
