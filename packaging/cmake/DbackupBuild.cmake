# Compiler cache, linker, warnings and sanitizers; dbackup_layer() makes one target of one folder.

find_program(DBACKUP_CCACHE ccache)
if(DBACKUP_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER "${DBACKUP_CCACHE}")
  set(CMAKE_CXX_COMPILER_LAUNCHER "${DBACKUP_CCACHE}")
endif()
find_program(DBACKUP_MOLD mold)
if(DBACKUP_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

add_library(dbackup_warnings INTERFACE)
add_library(dbackup::warnings ALIAS dbackup_warnings)
target_compile_options(dbackup_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Werror -Wshadow -Wconversion -Wsign-conversion -Wnull-dereference
  $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor -Woverloaded-virtual>
  # Style of the SDK tables: trailing members of a descriptor are left to their defaults on purpose.
  -Wno-missing-field-initializers
  # GCC 12 reports impossible overlaps and null dereferences inside libstdc++ when it inlines (GCC bugs 105329, 105562).
  $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-restrict -Wno-null-dereference -Wno-maybe-uninitialized>)

if(DBACKUP_SANITIZE)
  add_compile_options(-fsanitize=${DBACKUP_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${DBACKUP_SANITIZE})
  add_compile_definitions(DBACKUP_SANITIZED=1)
endif()
# Instrumented code takes a third longer to compile when it is optimised, and the checks have two cores.
if(DBACKUP_SANITIZE)
  add_compile_options("$<$<CONFIG:Debug>:-O0;-g1>")
else()
  add_compile_options("$<$<CONFIG:Debug>:-O1;-g1>")
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_compile_options(-fstack-protector-strong)
  add_compile_definitions(_FORTIFY_SOURCE=2)
  add_link_options(-Wl,-z,relro,-z,now)
endif()
add_compile_definitions(JSON_USE_IMPLICIT_CONVERSIONS=0)

# dbackup_layer(store SOURCES a.cpp HEADERS a.hpp PUBLIC dbackup::model PRIVATE SOCI::Core)
# One folder of host/, one static library, one alias dbackup::<name>. The link lines are the layer rule.
function(dbackup_layer name)
  cmake_parse_arguments(arg "" "" "SOURCES;HEADERS;PUBLIC;PRIVATE" ${ARGN})
  add_library(dbackup_${name} STATIC ${arg_SOURCES})
  add_library(dbackup::${name} ALIAS dbackup_${name})
  target_sources(dbackup_${name} PUBLIC FILE_SET HEADERS BASE_DIRS "${PROJECT_SOURCE_DIR}/host" FILES ${arg_HEADERS})
  target_link_libraries(dbackup_${name} PUBLIC ${arg_PUBLIC} PRIVATE dbackup::warnings ${arg_PRIVATE})
endfunction()

# dbackup_test(store_test SOURCES a_test.cpp LINK dbackup::store [LABELS unit] [TIMEOUT 300])
# One GoogleTest program; each TEST() becomes one CTest test.
function(dbackup_test name)
  cmake_parse_arguments(arg "" "TIMEOUT" "SOURCES;LINK;LABELS;ENVIRONMENT" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  if(NOT arg_LABELS)
    set(arg_LABELS unit)
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name} PRIVATE dbackup::warnings ${arg_LINK} dbackup_test_paths GTest::gmock GTest::gtest_main)
  # What runs under the sanitizers in every check: `--target sanitized_tests` builds no more than that.
  if(arg_LABELS MATCHES "unit|fault")
    if(NOT TARGET sanitized_tests)
      add_custom_target(sanitized_tests)
    endif()
    add_dependencies(sanitized_tests ${name})
  endif()
  # After each build, not before each run: a program that was not asked for must not stop the others.
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 PROPERTIES LABELS "${arg_LABELS}" TIMEOUT ${arg_TIMEOUT} ENVIRONMENT "${arg_ENVIRONMENT}")
endfunction()
