# The CUDA backend. Tuned target sm_90a; sm_80 and its PTX are the generic path. cudart is linked statically, so that the
# library needs a driver and nothing else.
set(LONGER_CUDA_ARCHITECTURES 80-virtual 80-real 90a-real CACHE STRING "What to compile CUDA for; fewer compile faster")
set(CMAKE_CUDA_ARCHITECTURES ${LONGER_CUDA_ARCHITECTURES})
if(NOT CMAKE_CUDA_COMPILER)
  find_program(LONGER_NVCC nvcc HINTS /usr/local/cuda/bin $ENV{CUDA_HOME}/bin REQUIRED)
  set(CMAKE_CUDA_COMPILER ${LONGER_NVCC})
endif()
enable_language(CUDA)
find_package(CUDAToolkit REQUIRED)

file(GLOB_RECURSE LONGER_CUDA_SOURCES CONFIGURE_DEPENDS src/*.cu)
target_sources(longer_core PRIVATE ${LONGER_CUDA_SOURCES})
target_compile_options(longer_core PRIVATE
  $<$<COMPILE_LANGUAGE:CUDA>:-Werror=all-warnings --extended-lambda --expt-relaxed-constexpr -Xptxas=-v -Xcompiler=-Wall,-Wextra
    -Xcompiler=-ffile-prefix-map=${CMAKE_CURRENT_SOURCE_DIR}/=>)
# Source lines for profilers; they hold the path of the build, so nothing that is shipped has them.
target_compile_options(longer_core PRIVATE $<$<AND:$<COMPILE_LANGUAGE:CUDA>,$<CONFIG:RelWithDebInfo>>:-lineinfo>)
target_link_libraries(longer_core PUBLIC CUDA::cudart_static)
set_target_properties(longer_core PROPERTIES
  CUDA_RUNTIME_LIBRARY Static CUDA_STANDARD 17 CUDA_STANDARD_REQUIRED ON CUDA_ARCHITECTURES "${CMAKE_CUDA_ARCHITECTURES}")
# Beside the archive, for whoever links it (build-native).
install(FILES ${CUDA_cudart_static_LIBRARY} DESTINATION lib)
