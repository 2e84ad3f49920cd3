# kinglet_headers: the header-only libraries. Each is looked for in KINGLET_HEADERS (what
# scripts/setup-headers.sh unpacks), then in the system's and the user's prefixes (CMAKE_PREFIX_PATH), and is
# fetched from its source repository when neither has it.
#
# Only the libraries' own folders are put on the include path, through links in the build folder: handing
# Emscripten the whole of /usr/include would mix the host's C library into the build.

include(FetchContent)

if(DEFINED ENV{KINGLET_TOOLCHAIN})
  set(toolchain "$ENV{KINGLET_TOOLCHAIN}")
elseif(DEFINED ENV{XDG_CACHE_HOME})
  set(toolchain "$ENV{XDG_CACHE_HOME}/kinglet")
else()
  set(toolchain "$ENV{HOME}/.cache/kinglet")
endif()
set(KINGLET_HEADERS "${toolchain}/headers" CACHE PATH "Where scripts/setup-headers.sh put the C++ libraries")

add_library(kinglet_headers INTERFACE)
set(links "${CMAKE_CURRENT_BINARY_DIR}/headers")
file(MAKE_DIRECTORY "${links}")
target_include_directories(kinglet_headers SYSTEM INTERFACE "${links}")

# kinglet_header_library(NAME FOLDER PROBE GIT TAG): links FOLDER, found by its header PROBE.
function(kinglet_header_library name folder probe git tag)
  find_path(KINGLET_${name}_DIR "${folder}/${probe}" HINTS "${KINGLET_HEADERS}/include"
            PATHS /usr/include /usr/local/include NO_CMAKE_FIND_ROOT_PATH)
  if(KINGLET_${name}_DIR)
    set(found "${KINGLET_${name}_DIR}/${folder}")
  else()
    message(STATUS "${name}: not installed, fetching ${git} at ${tag}")
    FetchContent_Declare(${name} GIT_REPOSITORY "${git}" GIT_TAG "${tag}" GIT_SHALLOW ON SOURCE_SUBDIR none)
    FetchContent_MakeAvailable(${name})
    set(found "${${name}_SOURCE_DIR}/include/${folder}")
  endif()
  message(STATUS "${name}: ${found}")
  file(REMOVE "${links}/${folder}")
  file(CREATE_LINK "${found}" "${links}/${folder}" SYMBOLIC)
endfunction()

kinglet_header_library(xtl xtl xtl_config.hpp https://github.com/xtensor-stack/xtl.git 0.7.7)
kinglet_header_library(xtensor xtensor xtensor_config.hpp https://github.com/xtensor-stack/xtensor.git 0.25.0)
kinglet_header_library(nlohmann_json nlohmann json.hpp https://github.com/nlohmann/json.git v3.11.3)
kinglet_header_library(protozero protozero pbf_reader.hpp https://github.com/mapbox/protozero.git v1.7.1)
