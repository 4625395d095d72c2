# Two images:
#   docker build --target cpu  -t deepkit .        && docker run --rm deepkit
#   docker build --target cuda -t deepkit:cuda .   && docker run --rm --gpus all deepkit:cuda
# Both run the benchmarks; any other command may follow, such as: python -m deepkit demo

FROM python:3.12-slim AS cpu
ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 DEEPKIT_BACKEND=numpy
WORKDIR /deepkit
# What the package is built from comes before tests and benchmarks, which change more often.
COPY pyproject.toml README.md LICENSE ./
COPY kernels ./kernels
COPY deepkit ./deepkit
RUN pip install --editable '.[bench]'
COPY bench ./bench
COPY tests ./tests
CMD ["python", "-m", "bench", "--alone"]

# CuPy's [ctk] extra brings NVRTC, the CUDA headers and libraries as wheels, so a CUDA base image is not needed; the
# driver comes from the host through the NVIDIA Container Toolkit (--gpus all).
FROM cpu AS cuda
ENV DEEPKIT_BACKEND=auto NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
RUN pip install --editable '.[bench,cuda12]'
CMD ["python", "-m", "bench", "--alone"]
