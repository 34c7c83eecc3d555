# Installs the SDK into an empty folder, moves it elsewhere, and builds the template against it: an author
# has nothing but the package. -D BUILD=… SOURCE=… WORK=… CXX=… LAUNCHER=…
cmake_minimum_required(VERSION 3.25)

function(step)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "failed: ${ARGN}\n${output}")
  endif()
endfunction()

file(REMOVE_RECURSE "${WORK}")
step("${CMAKE_COMMAND}" --install "${BUILD}" --component sdk --prefix "${WORK}/first")
file(RENAME "${WORK}/first" "${WORK}/prefix")   # nothing in it may remember where it was
file(COPY "${WORK}/prefix/share/dbackup-sdk/template/" DESTINATION "${WORK}/mine")
file(GLOB_RECURSE files "${WORK}/prefix/*")
foreach(file IN LISTS files)
  file(STRINGS "${file}" traces REGEX "${SOURCE}|${WORK}/first")
  if(traces)
    message(FATAL_ERROR "${file} names a folder of the build: ${traces}")
  endif()
endforeach()

step("${CMAKE_COMMAND}" -S "${WORK}/mine" -B "${WORK}/build" -G Ninja "-DCMAKE_PREFIX_PATH=${WORK}/prefix"
     "-DCMAKE_CXX_COMPILER=${CXX}" "-DCMAKE_CXX_COMPILER_LAUNCHER=${LAUNCHER}" -DCMAKE_BUILD_TYPE=Debug)
step("${CMAKE_COMMAND}" --build "${WORK}/build")
step("${CMAKE_CTEST_COMMAND}" --test-dir "${WORK}/build" --output-on-failure --no-tests=error)

# Another major is refused.
file(WRITE "${WORK}/other/CMakeLists.txt"
     "cmake_minimum_required(VERSION 3.25)\nproject(other LANGUAGES CXX)\nfind_package(dbackup-sdk 2 REQUIRED)\n")
execute_process(COMMAND "${CMAKE_COMMAND}" -S "${WORK}/other" -B "${WORK}/other/build" -G Ninja
                "-DCMAKE_PREFIX_PATH=${WORK}/prefix" "-DCMAKE_CXX_COMPILER=${CXX}"
                RESULT_VARIABLE status OUTPUT_QUIET ERROR_VARIABLE words)
if(status EQUAL 0 OR NOT words MATCHES "dbackup-sdk")
  message(FATAL_ERROR "find_package(dbackup-sdk 2) was not refused: ${words}")
endif()
file(REMOVE_RECURSE "${WORK}")
