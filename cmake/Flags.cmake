# Compile and link options, as interface targets:
#   kinglet_flags   every target of the project: warnings, instruction set, exceptions, sanitizers
#   kinglet_small   code whose size matters more than its speed (all but the kernels)
#   kinglet_fast    the kernels

add_library(kinglet_flags INTERFACE)
add_library(kinglet_small INTERFACE)
add_library(kinglet_fast INTERFACE)

target_compile_features(kinglet_flags INTERFACE cxx_std_20)
target_compile_options(kinglet_flags INTERFACE
  -Wall -Wextra -Wpedantic -ffunction-sections -fdata-sections -fvisibility=hidden)

if(EMSCRIPTEN)
  # The default (legacy) encoding of wasm exceptions: the newer one does not run in Node 20.
  target_compile_options(kinglet_flags INTERFACE -msimd128 -fwasm-exceptions -sSUPPORT_LONGJMP=0)
  target_link_options(kinglet_flags INTERFACE -fwasm-exceptions -sSUPPORT_LONGJMP=0)
  target_compile_options(kinglet_small INTERFACE -Oz)
  target_compile_options(kinglet_fast INTERFACE -O3)
  set(KINGLET_RELAXED_FLAGS -mrelaxed-simd)
else()
  find_package(Threads REQUIRED)
  target_link_libraries(kinglet_flags INTERFACE Threads::Threads)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
    target_compile_options(kinglet_flags INTERFACE -march=x86-64-v2)  # SSE4.2: 128 bits, as in wasm
  endif()
  if(NOT APPLE)
    target_link_options(kinglet_flags INTERFACE -Wl,--gc-sections)
  endif()
endif()

if(KINGLET_SANITIZE)
  set(sanitizers -fsanitize=address,undefined,float-cast-overflow -fno-sanitize-recover=all)
  target_compile_options(kinglet_flags INTERFACE ${sanitizers} -O1 -g1 -fno-omit-frame-pointer)
  target_link_options(kinglet_flags INTERFACE ${sanitizers})
  target_compile_definitions(kinglet_flags INTERFACE _GLIBCXX_ASSERTIONS)
endif()
