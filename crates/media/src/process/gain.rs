//! Speech gets the level that people expect: soft speech becomes louder by and by, and nothing too loud.
//!
//! The parts of WebRTC's second gain controller as `sonora-agc2` has them, in its order. What they need to know is how
//! likely somebody talks: the noise suppression says so in passing, and only without it a network of its own is asked,
//! which costs ten times as much as the rest.

use sonora_agc2::adaptive_digital_gain_controller::{AdaptiveDigitalGainController, FrameInfo};
use sonora_agc2::common::{
    ADJACENT_SPEECH_FRAMES_THRESHOLD, SATURATION_PROTECTOR_INITIAL_HEADROOM_DB, float_s16_to_dbfs,
};
use sonora_agc2::limiter::Limiter;
use sonora_agc2::noise_level_estimator::NoiseLevelEstimator;
use sonora_agc2::saturation_protector::SaturationProtector;
use sonora_agc2::speech_level_estimator::{AdaptiveDigitalConfig, SpeechLevelEstimator};
use sonora_agc2::vad_wrapper::VoiceActivityDetectorWrapper;
use sonora_simd::detect_backend;

use super::spectrum::sum_of_squares;
use crate::frame::{FRAME_SAMPLES, SAMPLE_RATE_HZ};

/// Gain before anybody has talked: most microphones are near enough already, and an echo that is not known yet must
/// not become louder.
const FIRST_GAIN_DB: f32 = 0.0;
/// Most that a soft voice is made louder.
const MAX_GAIN_DB: f32 = 30.0;

/// See the module header.
pub(super) struct GainControl {
    /// Tells whether somebody talks; made when it is asked first.
    detector: Option<VoiceActivityDetectorWrapper>,
    noise: NoiseLevelEstimator,
    speech: SpeechLevelEstimator,
    peaks: SaturationProtector,
    gain: AdaptiveDigitalGainController,
    limiter: Limiter,
}

impl GainControl {
    pub(super) fn new() -> Self {
        let config = AdaptiveDigitalConfig {
            initial_gain_db: FIRST_GAIN_DB,
            max_gain_db: MAX_GAIN_DB,
            ..AdaptiveDigitalConfig::default()
        };
        let frames = ADJACENT_SPEECH_FRAMES_THRESHOLD;
        Self {
            detector: None,
            noise: NoiseLevelEstimator::default(),
            speech: SpeechLevelEstimator::new(&config, frames),
            peaks: SaturationProtector::new(SATURATION_PROTECTOR_INITIAL_HEADROOM_DB, frames),
            gain: AdaptiveDigitalGainController::new(config, frames),
            limiter: Limiter::new(FRAME_SAMPLES),
        }
    }

    /// Samples are counted as on the wire, ±32768. `speech_probability`, from 0 to 1, if it is known already.
    pub(super) fn process(
        &mut self,
        samples: &mut [f32; FRAME_SAMPLES],
        speech_probability: Option<f32>,
    ) {
        let speech_probability = speech_probability.unwrap_or_else(|| self.detect(samples));
        let rms = (sum_of_squares(samples) / FRAME_SAMPLES as f32).sqrt();
        let peak = samples
            .iter()
            .fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
        let noise_rms_dbfs = self.noise.analyze(&[samples]);
        self.speech
            .update(float_s16_to_dbfs(rms), speech_probability);
        let speech_level_dbfs = self.speech.level_dbfs();
        self.peaks.analyze(
            speech_probability,
            float_s16_to_dbfs(peak),
            speech_level_dbfs,
        );
        let info = FrameInfo {
            speech_probability,
            speech_level_dbfs,
            speech_level_reliable: self.speech.is_confident(),
            noise_rms_dbfs,
            headroom_db: self.peaks.headroom_db(),
            limiter_envelope_dbfs: float_s16_to_dbfs(self.limiter.last_audio_level()),
        };
        self.gain.process(&info, &mut [samples]);
        self.limiter.process(&mut [samples]);
    }

    fn detect(&mut self, samples: &[f32; FRAME_SAMPLES]) -> f32 {
        let rate = i32::try_from(SAMPLE_RATE_HZ).unwrap_or(i32::MAX);
        self.detector
            .get_or_insert_with(|| VoiceActivityDetectorWrapper::new(detect_backend(), rate))
            .analyze(samples)
    }
}
