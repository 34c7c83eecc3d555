#include <gtest/gtest.h>

#include <latch>
#include <thread>

#include "crypto/age_keys.hpp"
#include "services/api_key_service.hpp"
#include "services/audit_log.hpp"
#include "services/download_tokens.hpp"
#include "services/encryption_profile_service.hpp"
#include "store/backup_store.hpp"
#include "store/profile_store.hpp"
#include "tests/unit/services/test_database.hpp"

namespace dbackup::host {
namespace {

using testing::TestDatabase;

Principal holder_of(std::initializer_list<Permission> permissions) {
  Principal who{.kind = PrincipalKind::ApiKey, .id = "giver", .name = "giver"};
  for (const Permission permission : permissions)
    who.permissions.set(static_cast<size_t>(permission));
  return who;
}

ErrorCode code_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode{0};
}

struct Keys : TestDatabase {
  LiveSettings live{Settings::load({})};
  AuditLog audit{*database, clock};
  ApiKeyVerifier verifier{*database, clock, live};
  ApiKeyService service{*database, clock, verifier, audit};
};

TEST(ApiKeys, GrantOnlyWhatTheirGiverHolds) {
  Keys keys;
  const Principal giver = holder_of({Permission::JobsRead});
  EXPECT_EQ(
      code_of([&] { keys.service.create(giver, {.name = "k", .permissions = {"jobs:write"}}); }),
      ErrorCode::PermissionDenied);
  EXPECT_EQ(
      code_of([&] { keys.service.create(giver, {.name = "k", .permissions = {"jobs:fly"}}); }),
      ErrorCode::InvalidArgument);
  EXPECT_EQ(code_of([&] { keys.service.create(giver, {.name = "k"}); }),
            ErrorCode::InvalidArgument);
  const auto created = keys.service.create(giver, {.name = "k", .permissions = {"jobs:read"}});
  EXPECT_TRUE(keys.verifier.verify(created.raw.reveal())->may(Permission::JobsRead));
}

TEST(ApiKeys, StopWorkingAtOnceWhenDeleted) {
  Keys keys;
  const auto created = keys.service.create(holder_of({Permission::JobsRead}),
                                           {.name = "k", .permissions = {"jobs:read"}});
  EXPECT_NO_THROW(keys.verifier.verify(created.raw.reveal()));
  keys.service.remove(holder_of({}), created.key.id);
  EXPECT_EQ(code_of([&] { keys.verifier.verify(created.raw.reveal()); }),
            ErrorCode::Unauthenticated);
  EXPECT_EQ(code_of([&] { keys.service.remove(holder_of({}), created.key.id); }),
            ErrorCode::NotFound);
}

TEST(ApiKeys, ExpireWhileRemembered) {
  Keys keys;
  const auto created = keys.service.create(
      holder_of({Permission::JobsRead}),
      {.name = "k", .permissions = {"jobs:read"}, .expires_at = keys.clock.now_ms() + 500});
  EXPECT_NO_THROW(keys.verifier.verify(created.raw.reveal()));
  keys.clock.advance(500);
  EXPECT_EQ(code_of([&] { keys.verifier.verify(created.raw.reveal()); }),
            ErrorCode::Unauthenticated);
}

TEST(ApiKeys, NoteTheirUseAtMostOnceAMinute) {
  Keys keys;
  const auto created = keys.service.create(holder_of({Permission::JobsRead}),
                                           {.name = "k", .permissions = {"jobs:read"}});
  const auto used_after = [&](TimeMs pause) {
    keys.clock.advance(pause);
    keys.verifier.verify(created.raw.reveal());
    return keys.service.get(created.key.id).last_used_at;
  };
  const TimeMs start = keys.clock.now_ms();
  EXPECT_EQ(used_after(10), start + 10);
  EXPECT_EQ(used_after(30'000), start + 10);
  EXPECT_EQ(used_after(40'000), start + 70'010);
}

TEST(ApiKeys, AreRefusedWhenDisabledOrUnknownOrMisshapen) {
  Keys keys;
  auto created = keys.service.create(holder_of({Permission::JobsRead}),
                                     {.name = "k", .permissions = {"jobs:read"}});
  created.key.enabled = false;
  keys.database->write([&](Session& session) { ApiKeyStore{}.update(session, created.key); });
  for (const std::string& raw :
       {std::string{created.raw.reveal()}, "dbackup_" + std::string(60, 'a'), std::string{"x"},
        std::string{}}) {
    EXPECT_EQ(code_of([&] { keys.verifier.verify(raw); }), ErrorCode::Unauthenticated) << raw;
  }
}

TEST(DownloadTokens, GiveEachLinkToExactlyOneOfTwoThreads) {
  testing::ManualClock clock;
  DownloadTokens tokens{clock};
  for (int round = 0; round < 200; ++round) {
    const std::string token{tokens.issue({.destination_id = "d", .path = "p"}).reveal()};
    std::atomic<int> winners{0};
    std::latch start{2};
    const auto race = [&] {
      start.arrive_and_wait();
      if (tokens.claim(token)) ++winners;
    };
    std::thread other{race};
    race();
    other.join();
    ASSERT_EQ(winners, 1);
  }
}

TEST(DownloadTokens, EndAfterFiveMinutesAndCanBeGivenBack) {
  testing::ManualClock clock;
  DownloadTokens tokens{clock};
  const std::string token{tokens.issue({.destination_id = "d", .path = "p"}).reveal()};
  EXPECT_EQ(token.size(), 64u);
  EXPECT_TRUE(tokens.look(token));
  EXPECT_TRUE(tokens.look(token)) << "looking does not use it up";
  EXPECT_TRUE(tokens.claim(token));
  EXPECT_FALSE(tokens.look(token));
  tokens.give_back(token);
  EXPECT_TRUE(tokens.claim(token));
  tokens.give_back(token);
  clock.advance(DownloadTokens::kLifetime);
  EXPECT_FALSE(tokens.claim(token));
  EXPECT_FALSE(tokens.claim("unknown"));
}

struct Profiles : TestDatabase {
  AuditLog audit{*database, clock};
  EncryptionProfileService service{*database, clock, box, audit};
  void store_backup_of(const std::string& profile_id) {
    database->write([&](Session& session) {
      BackupStore{}.upsert(
          session, {.id = "b",
                    .destination_id = "d",
                    .path = "p",
                    .sidecar = {{"encryption", {{"enabled", true}, {"profileId", profile_id}}}}});
    });
  }
};

TEST(EncryptionProfiles, SealTheirIdentityWithTheMasterKey) {
  Profiles profiles;
  const auto view = profiles.service.create({}, {.name = "main"});
  const auto& identity = view.profile.identities.at(0);
  EXPECT_EQ(identity.sealed_identity.find("AGE-SECRET-KEY"), std::string::npos);
  const auto opened = AgeIdentity::parse(profiles.service.open_identity(identity).reveal());
  EXPECT_EQ(opened.recipient().to_string(), identity.recipient);
  EXPECT_FALSE(is_write_only(view.profile));
}

TEST(EncryptionProfiles, WriteOnlyOnesHoldRecipientsAlone) {
  Profiles profiles;
  const std::string recipient = AgeIdentity::generate().recipient().to_string();
  EXPECT_TRUE(is_write_only(
      profiles.service.create({}, {.name = "w", .recipients = {recipient}, .write_only = true})
          .profile));
  EXPECT_EQ(code_of([&] { profiles.service.create({}, {.name = "x", .write_only = true}); }),
            ErrorCode::InvalidArgument);
  EXPECT_EQ(
      code_of([&] { profiles.service.create({}, {.name = "x", .recipients = {"age1nonsense"}}); }),
      ErrorCode::InvalidArgument);
  EXPECT_EQ(profiles.service.create({}, {.name = "e", .recipients = {recipient}})
                .profile.extra_recipients.size(),
            1u);
}

TEST(EncryptionProfiles, AreNotDeletedWhileBackupsNeedThem) {
  Profiles profiles;
  const std::string id = profiles.service.create({}, {.name = "main"}).profile.id;
  profiles.store_backup_of(id);
  EXPECT_EQ(code_of([&] { profiles.service.remove({}, id, {}); }), ErrorCode::FailedPrecondition);
  EXPECT_NO_THROW(profiles.service.remove({}, id, {.force = true}));
  EXPECT_TRUE(profiles.service.list().empty());
  EXPECT_TRUE(profiles.service.get(id).profile.retired);
  EXPECT_EQ(profiles.service.get(id).profile.identities.size(), 1u) << "still tried at restore";
  EXPECT_EQ(
      code_of([&] { profiles.service.remove({}, id, {.purge = true, .confirmed_name = "other"}); }),
      ErrorCode::InvalidArgument);
  EXPECT_NO_THROW(profiles.service.remove({}, id, {.purge = true, .confirmed_name = "main"}));
  EXPECT_EQ(code_of([&] { profiles.service.get(id); }), ErrorCode::NotFound);
}

TEST(EncryptionProfiles, KeepTheirIdentityWhenDeletedWithoutPurge) {
  Profiles profiles;
  const std::string id = profiles.service.create({}, {.name = "main"}).profile.id;
  profiles.service.remove({}, id, {});
  EXPECT_TRUE(profiles.service.list().empty());
  EXPECT_FALSE(is_write_only(profiles.service.get(id).profile));
}

TEST(EncryptionProfiles, TakeEachNameOnce) {
  Profiles profiles;
  profiles.service.create({}, {.name = "main"});
  EXPECT_EQ(code_of([&] { profiles.service.create({}, {.name = "main"}); }),
            ErrorCode::AlreadyExists);
}

}  // namespace
}  // namespace dbackup::host
