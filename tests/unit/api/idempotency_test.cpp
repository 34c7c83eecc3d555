#include "api/idempotency.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "api/http_error.hpp"
#include "base/json.hpp"
#include "store/profile_store.hpp"
#include "tests/unit/services/test_database.hpp"

namespace dbackup::host {
namespace {

struct Repeated : testing::TestDatabase {
  Idempotency idempotency{*database, clock};
  int calls = 0;
  IdempotentRequest request{.principal = "p", .route = "POST /api/jobs", .key = "k1", .body = "{}"};

  HttpResponse send(int status = 201) {
    return idempotency.answer(request, [&] {
      ++calls;
      return HttpResponse::json(status,
                                "{\"data\":{\"id\":\"made-" + std::to_string(calls) + "\"}}");
    });
  }
  int status_of_failure() {
    try {
      send();
    } catch (const Error& error) {
      return http_status(error.code(), error.reason());
    }
    return 0;
  }
};

TEST(Idempotency, AnswersARepetitionWithTheFirstAnswer) {
  Repeated repeated;
  const HttpResponse first = repeated.send();
  const HttpResponse second = repeated.send();
  EXPECT_EQ(repeated.calls, 1);
  EXPECT_EQ(second.status, 201);
  EXPECT_EQ(std::get<std::string>(first.body), std::get<std::string>(second.body));
  EXPECT_EQ(second.headers.get("Idempotent-Replayed"), "true");
}

TEST(Idempotency, KeepsCallersRoutesAndKeysApart) {
  Repeated repeated;
  repeated.send();
  repeated.request.principal = "other";
  repeated.send();
  repeated.request.route = "POST /api/adapters";
  repeated.send();
  repeated.request.key = "k2";
  repeated.send();
  EXPECT_EQ(repeated.calls, 4);
}

TEST(Idempotency, RefusesAnotherBodyUnderTheSameKey) {
  Repeated repeated;
  repeated.send();
  repeated.request.body = R"({"name":"x"})";
  EXPECT_EQ(repeated.status_of_failure(), 422);
  EXPECT_EQ(repeated.calls, 1);
}

TEST(Idempotency, RefusesARepetitionWhileTheFirstRuns) {
  Repeated repeated;
  int status = 0;
  repeated.idempotency.answer(repeated.request, [&] {
    std::thread{[&] { status = repeated.status_of_failure(); }}.join();
    return HttpResponse::json(200, "{}");
  });
  EXPECT_EQ(status, 409);
  EXPECT_EQ(repeated.calls, 0);
}

TEST(Idempotency, LetsAFailedRequestBeRepeated) {
  Repeated repeated;
  EXPECT_THROW(
      repeated.idempotency.answer(repeated.request,
                                  []() -> HttpResponse { throw Error(ErrorCode::NotFound, "no"); }),
      Error);
  EXPECT_EQ(repeated.send(500).status, 500);
  EXPECT_EQ(repeated.send().status, 201);
  EXPECT_EQ(repeated.calls, 2);
}

TEST(Idempotency, KeepsNoSecretAndNamesWhatWasMade) {
  Repeated repeated;
  repeated.request.secret_owner = "/data/id";
  repeated.send();
  try {
    repeated.send();
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(http_status(error.code(), error.reason()), 409);
    EXPECT_NE(std::string{error.what()}.find("made-1"), std::string::npos);
  }
}

TEST(Idempotency, ForgetsAfterADay) {
  Repeated repeated;
  repeated.send();
  repeated.clock.advance(TimeMs{24} * 3'600'000 + 1);
  repeated.send();
  EXPECT_EQ(repeated.calls, 2);
}

/// A request whose process dies in the middle: what its handler throws never reaches the store.
struct Interrupted : Repeated {
  void store(const std::string& value) {
    database->write([&](Session& session) { SettingStore{}.set(session, "effect", value); });
  }
  std::string stored() {
    std::string value;
    database->read(
        [&](Session& session) { value = SettingStore{}.get(session, "effect").value_or(""); });
    return value;
  }
  /// What a repetition gets from a process that started after the first request began.
  std::string repetition_after_restart() {
    std::string out;
    std::thread{[&] { out = repeat_after_restart(); }}.join();
    return out;
  }
  std::string repeat_after_restart() {
    clock.advance(10);
    Idempotency after_restart{*database, clock};
    try {
      const HttpResponse response = after_restart.answer(request, [&] {
        store("by the repetition");
        return HttpResponse::json(200, "{}");
      });
      return std::to_string(response.status);
    } catch (const Error& error) {
      return error.what();
    }
  }
};

TEST(Idempotency, RunsARequestAgainThatWasInterruptedBeforeItsEffect) {
  Interrupted interrupted;
  std::string repetition;
  // The first attempt was not dead after all: it may not do the same once more.
  EXPECT_THROW(interrupted.idempotency.answer(interrupted.request,
                                              [&] {
                                                repetition = interrupted.repetition_after_restart();
                                                interrupted.store("by the first");
                                                return HttpResponse::json(200, "{}");
                                              }),
               Error);
  EXPECT_EQ(repetition, "200");
  EXPECT_EQ(interrupted.stored(), "by the repetition");
  EXPECT_EQ(interrupted.repetition_after_restart(), "200") << "its answer is still kept";
}

TEST(Idempotency, TellsWhenARequestTookEffectAndItsAnswerWasLost) {
  Interrupted interrupted;
  std::string repetition;
  interrupted.idempotency.answer(interrupted.request, [&] {
    interrupted.store("by the first");
    repetition = interrupted.repetition_after_restart();
    return HttpResponse::json(200, "{}");
  });
  EXPECT_NE(repetition.find("took effect"), std::string::npos) << repetition;
  EXPECT_EQ(interrupted.stored(), "by the first");
}

TEST(Idempotency, DoesNotRepeatWhatFailedAfterItsEffectWithoutBeingAsked) {
  Interrupted interrupted;
  const auto fail_after_effect = [&](ErrorCode code) {
    interrupted.idempotency.answer(interrupted.request, [&]() -> HttpResponse {
      interrupted.store("done");
      throw Error(code, "no");
    });
  };
  EXPECT_THROW(fail_after_effect(ErrorCode::NotFound), Error);
  EXPECT_THROW(fail_after_effect(ErrorCode::Unavailable), Error) << "a refusal may be repeated";
  EXPECT_EQ(interrupted.status_of_failure(), 409);
  EXPECT_EQ(interrupted.calls, 0);
}

TEST(Idempotency, NotesTheEffectOnlyWithATransactionThatCommits) {
  Interrupted interrupted;
  const HttpResponse answer = interrupted.idempotency.answer(interrupted.request, [&] {
    EXPECT_ANY_THROW(interrupted.database->write(
        [](Session&) { throw Error(ErrorCode::AlreadyExists, "taken"); }));
    interrupted.store("second name");
    return HttpResponse::json(201, "{}");
  });
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(interrupted.send().headers.get("Idempotent-Replayed"), "true");
}

TEST(Idempotency, TakesARequestForDeadAfterAQuarterOfAnHour) {
  Interrupted interrupted;
  int status = 0;
  EXPECT_THROW(interrupted.idempotency.answer(interrupted.request,
                                              [&] {
                                                interrupted.clock.advance(14 * 60'000);
                                                std::thread{[&] {
                                                  status = interrupted.status_of_failure();
                                                  interrupted.clock.advance(2 * 60'000);
                                                  interrupted.send();
                                                }}.join();
                                                interrupted.store("late");
                                                return HttpResponse::json(200, "{}");
                                              }),
               Error);
  EXPECT_EQ(status, 409);
  EXPECT_EQ(interrupted.calls, 1);
  EXPECT_EQ(interrupted.stored(), "");
}

TEST(Idempotency, SweepsOldKeysWithoutNewOnes) {
  Interrupted interrupted;
  interrupted.send();
  interrupted.clock.advance(TimeMs{24} * 3'600'000 + 1);
  interrupted.idempotency.sweep();
  const IdempotentAnswer same{.principal = "p", .route = "POST /api/jobs", .key = "k1"};
  IdempotentAnswer known;
  bool is_new = false;
  interrupted.database->write(
      [&](Session& session) { is_new = IdempotencyStore{}.begin(session, same, known); });
  EXPECT_TRUE(is_new);
}

TEST(Idempotency, RefusesKeysThatAreNone) {
  Repeated repeated;
  for (const std::string& key :
       {std::string{}, std::string(256, 'x'), std::string{"a b"}, std::string{"a\nb"}}) {
    repeated.request.key = key;
    EXPECT_EQ(repeated.status_of_failure(), 400);
  }
}

}  // namespace
}  // namespace dbackup::host
